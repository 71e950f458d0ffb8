import type { HonoRequest } from "hono";
import { ProblemError } from "../errors/problem.ts";

/** The `ETag` of a row that people edit together, from its `version`. */
export const etagOf = (version: number): string => `"${version}"`;

const tags = /^(?:W\/)?"([^"]*)"$/;

/**
 * The version that a change is meant for, from `If-Match`; undefined where the client does not say,
 * or says any (`*`). A header that names no version of ours matches nothing.
 */
export function expectedVersion(request: HonoRequest): number | undefined {
  const header = request.header("if-match")?.trim();
  if (header === undefined || header === "*") return undefined;
  const versions = header.split(",").map((tag) => tags.exec(tag.trim())?.[1]);
  const version = Number(versions.length === 1 ? versions[0] : NaN);
  if (!Number.isSafeInteger(version)) throw new ProblemError("request.precondition_failed");
  return version;
}

/** Whether the client has this version already, by `If-None-Match`. */
export function isKnown(request: HonoRequest, version: number): boolean {
  const header = request.header("if-none-match");
  return header !== undefined &&
    header.split(",").some((tag) => tags.exec(tag.trim())?.[1] === String(version));
}
