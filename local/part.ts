/** Who is asking, as the gateway believes it. */
export interface Caller {
  address: string;
}

/** One service behind the gateway: it serves its own path prefix, as the client sent it. */
export interface Part {
  fetch(request: Request, caller: Caller): Promise<Response>;
  stop(): Promise<void>;
}

/** Writes one line to the stack's log. */
export type Log = (line: string) => void;

/** A failure explained to the person who ran the command: its message stands alone, without a stack. */
export class StackError extends Error {
  override name = "StackError";
}
