/** A failure of the database that a person can act on: its message is one or two plain sentences. */
export class DatabaseError extends Error {
  override name = "DatabaseError";
}
