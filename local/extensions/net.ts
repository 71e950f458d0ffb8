import type postgres from "postgres";
import type { Log } from "../part.ts";
import { everyNowAndThen } from "./timer.ts";

interface Request {
  id: string;
  method: string;
  url: string;
  headers: Record<string, string> | null;
  body: Uint8Array | null;
  timeout: number;
}

interface Answer {
  status: number | null;
  type: string | null;
  headers: Record<string, string> | null;
  content: string | null;
  timedOut: boolean | null;
  error: string | null;
}

const none: Answer = {
  status: null,
  type: null,
  headers: null,
  content: null,
  timedOut: null,
  error: null,
};

/** pg_net is woken by the commit; this looks often enough that nobody sees the difference. */
const lookEvery = 100;
const batch = 200;
const forgetEvery = 60_000;

/**
 * Makes the requests of `net.http_request_queue` where the server has no pg_net. A request leaves
 * the queue before it is made, so it is made at most once, and is lost with the stack that dies then.
 */
export function startNet(admin: postgres.Sql, log: Log) {
  const inFlight = new Set<Promise<void>>();
  const stopping = new AbortController();
  let forgotten = 0;

  const tick = async () => {
    const requests = await admin<Request[]>`
      delete from net.http_request_queue
      where id in (select id from net.http_request_queue order by id limit ${batch})
      returning id, upper(method) as method, url, headers, body, timeout_milliseconds as timeout`;
    for (const request of requests) {
      const done = answer(request, stopping.signal)
        .then((found) => stopping.signal.aborted ? undefined : keep(admin, request.id, found))
        .catch((error) => log(`[net] ${request.id}: ${error}`))
        .finally(() => inFlight.delete(done));
      inFlight.add(done);
    }
    if (Date.now() - forgotten < forgetEvery) return;
    forgotten = Date.now();
    await admin`delete from net._http_response where created < now() - interval '6 hours'`;
  };

  const timer = everyNowAndThen(lookEvery, tick, (message) => log(`[net] ${message}`));
  return {
    async stop() {
      stopping.abort();
      await timer.stop();
      await Promise.all(inFlight);
    },
  };
}

async function answer(
  { method, url, headers, body, timeout }: Request,
  stopping: AbortSignal,
): Promise<Answer> {
  const limit = AbortSignal.timeout(timeout);
  try {
    const response = await fetch(url, {
      method,
      headers: { "user-agent": "pg_net", ...headers },
      body: body === null ? null : new Uint8Array(body),
      redirect: "manual",
      signal: AbortSignal.any([limit, stopping]),
    });
    const content = await response.text();
    return {
      ...none,
      status: response.status,
      type: response.headers.get("content-type"),
      headers: Object.fromEntries(response.headers),
      content,
      timedOut: false,
    };
  } catch (error) {
    if (limit.aborted) {
      return { ...none, timedOut: true, error: `Timeout of ${timeout} ms reached.` };
    }
    return { ...none, timedOut: false, error: error instanceof Error ? error.message : `${error}` };
  }
}

async function keep(admin: postgres.Sql, id: string, answer: Answer): Promise<void> {
  const { status, type, headers, content, timedOut, error } = answer;
  await admin`
    insert into net._http_response (id, status_code, content_type, headers, content, timed_out, error_msg)
    values (
      ${id}, ${status}, ${type}, ${headers === null ? null : admin.json(headers)},
      ${content?.replaceAll("\0", "") ?? null}, ${timedOut}, ${error}
    )`;
}
