/** A "no" that the client is told: hosted's error code and sentence. */
export class Refusal extends Error {
  override name = "Refusal";

  constructor(readonly code: string, message: string) {
    super(message);
  }

  /** As the reply to a join says it. */
  get reason(): string {
    return `${this.code}: ${this.message}`;
  }
}
