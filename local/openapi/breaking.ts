import type { OpenApi, Operation, Parameter, Schema } from "./document.ts";
import { SchemaComparison } from "./schemas.ts";

/** What in `after` would break a client that was written for `before`, one line each. */
export function breakingChanges(before: OpenApi, after: OpenApi): string[] {
  return operationsOf(before).flatMap(([name, path, method, operation]) => {
    const now = after.paths[path]?.[method];
    if (!now) return [`${name} is gone`];
    const schemas = new SchemaComparison(before, after);
    return [
      ...(now.operationId === operation.operationId ? [] : ["has another operationId"]),
      ...securityBreaks(operation, now),
      ...parameterBreaks(operation, now, schemas),
      ...bodyBreaks(operation, now, schemas),
      ...responseBreaks(operation, now, schemas),
    ].map((problem) => `${name}: ${problem}`);
  });
}

export function operationsOf({ paths }: OpenApi): [string, string, string, Operation][] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) =>
      [`${method.toUpperCase()} ${path}`, path, method, operation] as [
        string,
        string,
        string,
        Operation,
      ]
    )
  );
}

/** Every way in that was open must still be. */
function securityBreaks(before: Operation, after: Operation): string[] {
  const ways = (operation: Operation) =>
    operation.security.length === 0
      ? ["nothing"]
      : operation.security.map((way) => Object.keys(way).sort().join("+"));
  const open = ways(after);
  if (open.includes("nothing")) return [];
  return ways(before).filter((way) => !open.includes(way))
    .map((way) => `${way} is not enough any more`);
}

function parameterBreaks(before: Operation, after: Operation, schemas: SchemaComparison): string[] {
  const find = ({ parameters = [] }: Operation, like: Parameter) =>
    parameters.find((parameter) => parameter.name === like.name && parameter.in === like.in);
  const changed = (before.parameters ?? []).flatMap((parameter) => {
    const what = `${parameter.in} parameter ${parameter.name}`;
    const now = find(after, parameter);
    if (!now) return [`${what} is gone`];
    const due = now.required && !parameter.required ? [`${what} became required`] : [];
    return [...due, ...schemas.request(parameter.schema, now.schema, what)];
  });
  const added = (after.parameters ?? [])
    .filter((parameter) => parameter.required && !find(before, parameter))
    .map((parameter) => `${parameter.in} parameter ${parameter.name} is new and required`);
  return [...changed, ...added];
}

function bodyBreaks(before: Operation, after: Operation, schemas: SchemaComparison): string[] {
  const due = after.requestBody?.required && !before.requestBody?.required
    ? ["a body became required"]
    : [];
  const changed = contents(before.requestBody).flatMap(([type, schema]) => {
    const now = after.requestBody?.content[type]?.schema;
    return now ? schemas.request(schema, now, "body") : [`a body of ${type} is not taken any more`];
  });
  return [...due, ...changed];
}

/** Only what succeeds is compared: every failure is the one form of a problem. */
function responseBreaks(before: Operation, after: Operation, schemas: SchemaComparison): string[] {
  return Object.entries(before.responses)
    .filter(([status]) => status.startsWith("2"))
    .flatMap(([status, response]) => {
      const now = after.responses[status];
      if (!now) return [`${status} is gone`];
      return contents(response).flatMap(([type, schema]) => {
        const there = now.content?.[type]?.schema;
        return there
          ? schemas.response(schema, there, status)
          : [`${status} does not come as ${type} any more`];
      });
    });
}

const contents = (
  holder: { content?: Record<string, { schema: Schema }> } | undefined,
): [string, Schema][] =>
  Object.entries(holder?.content ?? {}).map(([type, { schema }]) => [type, schema]);
