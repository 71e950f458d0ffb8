/** Thrown by a handler whose job can never succeed: it is not tried again but dead at once. */
export class PermanentFailure extends Error {
  override name = "PermanentFailure";
}
