import { ProblemError } from "../../errors/problem.ts";
import { NotTaken, UnknownOutcome } from "../unsendable.ts";

/** Errors of a request that never reached anybody: no route, no name, no handshake, an open circuit. */
const unreached = /client error \(Connect\)|dns error|circuit of \S+ is open/i;

/** Sorts the failure of a call: nobody was reached, or nobody knows how far it came. */
export function failureOf(provider: string, error: unknown): Error {
  const causes = [error, error instanceof Error ? error.cause : undefined];
  const reached = !causes.some((cause) => cause instanceof Error && unreached.test(cause.message));
  if (error instanceof ProblemError && error.code === "request.address_refused") {
    return new NotTaken(error.message, { cause: error });
  }
  return reached
    ? new UnknownOutcome(provider, error)
    : new NotTaken(String(error), { cause: error });
}
