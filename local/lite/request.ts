import { AsyncLocalStorage } from "node:async_hooks";
import type { AnyAST } from "@supabase/lite";
import type { Routine } from "./catalogue.ts";

/** What the mends remember of one request while lite answers it. */
export interface CurrentRequest {
  method: string;
  url: URL;
  headers: Headers;
  claims: Record<string, unknown>;
  role: string;
  /** The arguments of a function as they came: parsed and written again, long numbers lose digits. */
  body?: string;
  ast?: AnyAST;
  /** The function called, where it is one and not several. */
  routine?: Routine | undefined;
  /** Set once an UPDATE has run: its filter may no longer find the rows it changed. */
  updated?: boolean;
  /** Set where a function has chosen the status of its answer (`response.status`). */
  statusChosen?: boolean;
}

const requests = new AsyncLocalStorage<CurrentRequest>();

export function during<T>(request: CurrentRequest, work: () => Promise<T>): Promise<T> {
  return requests.run(request, work);
}

export function currentRequest(): CurrentRequest {
  const request = requests.getStore();
  if (!request) throw new Error("asked for the request outside one");
  return request;
}
