import { extensionHeaders, refuse } from "./handshake.ts";
import type { Hub } from "./hub.ts";
import { isObject } from "./join.ts";
import { Refusal } from "./refusal.ts";
import { type Claims, claimsOf } from "./tokens.ts";
import { encoder, UserBroadcast } from "./wire.ts";

/** A broadcast that came by HTTP. */
interface Outgoing {
  topic: string;
  isPrivate: boolean;
  message: UserBroadcast;
}

interface Names {
  topic: string;
  event: string;
}

/** Who sends it, for the policies. */
interface Sender {
  claims: Claims;
  headers: Record<string, string>;
}

const batchPath = "/realtime/v1/api/broadcast";
const singlePath = new URLPattern({ pathname: `${batchPath}/:topic/events/:event` });

/** True for requests of the HTTP API, whatever they get there. */
export function isBroadcastPath(request: Request): boolean {
  const { pathname } = new URL(request.url);
  const asks = pathname === batchPath || singlePath.test({ pathname });
  return asks && request.method === "POST";
}

/** `POST …/api/broadcast` with a list of messages, or `…/<topic>/events/<event>` with one payload. */
export async function answerBroadcast(hub: Hub, request: Request): Promise<Response> {
  const claims = await claimsOfRequest(hub, request);
  if (!claims) return Response.json({ message: "Unauthorized" }, { status: 401 });
  const sender = { claims, headers: extensionHeaders(request) };
  const { pathname } = new URL(request.url);
  if (pathname === batchPath) return await answerBatch(hub, request, sender);
  const names = namesIn(pathname);
  return names ? await answerSingle(hub, request, sender, names) : refused(400, "Bad Request");
}

/** Topic and event of a path; undefined where they are no text. */
function namesIn(pathname: string): Names | undefined {
  const { topic, event } = singlePath.exec({ pathname })!.pathname.groups;
  try {
    return { topic: decodeURIComponent(topic!), event: decodeURIComponent(event!) };
  } catch {
    return undefined;
  }
}

async function claimsOfRequest({ keys }: Hub, request: Request): Promise<Claims | undefined> {
  const bearer = /^bearer (\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  const token = bearer ?? request.headers.get("apikey");
  if (!token) return undefined;
  try {
    return await claimsOf(keys, token);
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

const accepted = () => new Response(null, { status: 202 });
const refused = (status: number, message: string) => Response.json({ message }, { status });
const invalid = (errors: unknown) => Response.json({ errors }, { status: 422 });
const tooBig = "Payload size exceeds tenant limit";

async function answerSingle(
  hub: Hub,
  request: Request,
  sender: Sender,
  { topic, event }: Names,
): Promise<Response> {
  const type = request.headers.get("content-type") ?? "application/json";
  if (!/^application\/(json|octet-stream)/.test(type)) {
    return refuse(415, "Unsupported Media Type. Use application/json or application/octet-stream");
  }
  const binary = type.startsWith("application/octet-stream");
  const bytes = new Uint8Array(await request.arrayBuffer());
  const payload = binary ? bytes : jsonBody(bytes);
  if (!payload) return refused(400, "Bad Request");
  if (payload.length > hub.limits.payloadBytes) return invalid({ payload: [tooBig] });
  if (hub.rates.events.average >= hub.rates.events.perSecond) {
    return refused(429, "You have exceeded your rate limit");
  }
  const outgoing = {
    topic,
    isPrivate: new URL(request.url).searchParams.get("private") === "true",
    message: new UserBroadcast(event, binary ? "binary" : "json", payload),
  };
  if (outgoing.isPrivate) {
    const fault = await writeFault(hub, sender, topic);
    if (fault) return fault;
  }
  deliver(hub, outgoing);
  return accepted();
}

/** What hosted makes of a body: nothing is an empty object, what is no object is wrapped into one. */
function jsonBody(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length === 0) return encoder.encode("{}");
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return isObject(value) ? bytes : encoder.encode(JSON.stringify({ _json: value }));
  } catch {
    return undefined;
  }
}

/** Why the sender may not broadcast there. */
async function writeFault(
  hub: Hub,
  { claims, headers }: Sender,
  topic: string,
): Promise<Response | undefined> {
  try {
    const may = await hub.authorization.write({ topic, claims, headers }, "broadcast");
    return may ? undefined : refused(403, "Unauthorized");
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    switch (error.code) {
      case "IncreaseConnectionPool":
        return refused(429, "Connection pool exhausted");
      case "QueryCanceled":
        return refused(422, "Query canceled");
      case "MissingPartition":
        return refused(422, "Missing messages partition");
      case "RlsPolicyError":
        return refused(422, "RLS policy error");
      default:
        return refused(422, "Tenant database unavailable");
    }
  }
}

async function answerBatch(hub: Hub, request: Request, sender: Sender): Promise<Response> {
  let body: unknown;
  try {
    body = await request.json();
  } catch {
    return refused(400, "Bad Request");
  }
  const messages = isObject(body) ? body.messages : undefined;
  if (messages === undefined || messages === null) return invalid({ messages: ["can't be blank"] });
  if (!Array.isArray(messages)) return invalid({ messages: ["is invalid"] });
  if (messages.length === 0) return invalid({ messages: ["can't be blank"] });
  const faults = messages.map((message) => faultsOf(hub, message));
  if (faults.some((fault) => Object.keys(fault).length > 0)) return invalid({ messages: faults });
  const { events } = hub.rates;
  if (events.exceeded) return refused(429, "You have exceeded your rate limit");
  if (messages.length + events.average > events.perSecond) {
    return refused(429, "Too many messages to broadcast, please reduce the batch size");
  }
  await send(hub, sender, messages.map(outgoingOf));
  return accepted();
}

function faultsOf(hub: Hub, message: unknown): Record<string, string[]> {
  const fields = isObject(message) ? message : {};
  const faults: Record<string, string[]> = {};
  for (const name of ["topic", "event"]) {
    const value = fields[name];
    if (value === undefined || value === null || value === "") faults[name] = ["can't be blank"];
    else if (typeof value !== "string") faults[name] = ["is invalid"];
  }
  if (fields.payload === undefined || fields.payload === null) faults.payload = ["can't be blank"];
  else if (!isObject(fields.payload)) faults.payload = ["is invalid"];
  else if (payloadOf(fields).length > hub.limits.payloadBytes) faults.payload = [tooBig];
  if (fields.private !== undefined && typeof fields.private !== "boolean") {
    faults.private = ["is invalid"];
  }
  return faults;
}

const payloadOf = ({ payload }: Record<string, unknown>) => encoder.encode(JSON.stringify(payload));

const outgoingOf = (message: Record<string, unknown>): Outgoing => ({
  topic: message.topic as string,
  isPrivate: message.private === true,
  message: new UserBroadcast(message.event as string, "json", payloadOf(message)),
});

/** What the sender may not write is dropped without a word, as on a socket. */
async function send(hub: Hub, sender: Sender, batch: Outgoing[]): Promise<void> {
  const topics = new Set(batch.filter((one) => one.isPrivate).map((one) => one.topic));
  const closed = new Set<string>();
  for (const topic of topics) {
    if (await writeFault(hub, sender, topic)) closed.add(topic);
  }
  for (const outgoing of batch) {
    if (!outgoing.isPrivate || !closed.has(outgoing.topic)) deliver(hub, outgoing);
  }
}

function deliver({ rates, rooms }: Hub, { topic, isPrivate, message }: Outgoing): void {
  rates.events.add();
  rooms.find(topic, isPrivate)?.broadcast(message);
}
