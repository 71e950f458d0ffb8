import { deepStrictEqual as assertEquals } from "node:assert/strict";

interface Failure {
  code?: string | undefined;
  message: string;
  details?: string | null;
}

type Answer = { data: unknown; error: Failure | null; status?: number };

/** The data of an answer; a refusal fails the test with its code. */
export async function must<T>(call: PromiseLike<Answer>): Promise<T> {
  const { data, error } = await call;
  if (error) throw new Error(`${error.code} ${error.message} ${error.details ?? ""}`);
  return data as T;
}

/** Asserts that a call is refused with this status and stable code. */
export async function assertRefused(
  call: PromiseLike<Answer>,
  status: number,
  code: string,
): Promise<void> {
  const answer = await call;
  assertEquals([answer.status, answer.error?.message], [status, code]);
}
