import assert from "node:assert/strict";
import type postgres from "postgres";
import { withDatabase } from "../../support/database.ts";
import { until } from "../../support/wait.ts";

interface Received {
  method: string;
  url: URL;
  type: string | null;
  key: string | null;
  body: string;
}

/** A server that keeps what it is asked, answers once it is told to, and is gone after the test. */
async function withServer(
  work: (url: string, received: Received[], sql: postgres.Sql) => Promise<void>,
): Promise<void> {
  const received: Received[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const url = new URL(request.url);
    const { method, headers } = request;
    const type = headers.get("content-type");
    received.push({ method, url, type, key: headers.get("x-key"), body: await request.text() });
    if (url.pathname === "/slow") await new Promise((resolve) => setTimeout(resolve, 1_000));
    return Response.json({ fine: true }, { status: 202, headers: { "x-answer": "yes" } });
  });
  try {
    await withDatabase((sql) => work(`http://127.0.0.1:${server.addr.port}`, received, sql));
  } finally {
    await server.shutdown();
  }
}

const answerTo = (sql: postgres.Sql, id: string) =>
  until(async () => {
    const [row] = await sql`select * from net._http_response where id = ${id}`;
    return row;
  }, { timeout: 10_000 });

Deno.test("a request is made once its transaction commits, and its answer is kept", async () => {
  await withServer(async (url, received, sql) => {
    const id = await sql.begin(async (sql) => {
      const [row] = await sql`
        select net.http_post(${`${url}/in`}, '{"a": 1}', '{"q": "ä b", "r": "1"}', '{"x-key": "k"}') as id`;
      await new Promise((resolve) => setTimeout(resolve, 300));
      assert.equal(received.length, 0);
      return row!.id;
    });
    const answer = await answerTo(sql, id);
    assert.equal(received.length, 1);
    const { method, url: asked, type, key, body } = received[0]!;
    assert.deepEqual([method, asked.pathname, type, key, JSON.parse(body)], [
      "POST",
      "/in",
      "application/json",
      "k",
      { a: 1 },
    ]);
    assert.deepEqual(Object.fromEntries(asked.searchParams), { q: "ä b", r: "1" });
    assert.equal(answer.status_code, 202);
    assert.equal(answer.content_type, "application/json");
    assert.equal(answer.content, '{"fine":true}');
    assert.equal(answer.headers["x-answer"], "yes");
    assert.deepEqual([answer.timed_out, answer.error_msg], [false, null]);
  });
});

Deno.test("a request that is rolled back is never made", async () => {
  await withServer(async (url, received, sql) => {
    await assert.rejects(sql.begin(async (sql) => {
      await sql`select net.http_get(${`${url}/undone`})`;
      throw new Error("undo");
    }));
    const [row] = await sql`select net.http_get(${`${url}/done`}) as id`;
    await answerTo(sql, row!.id);
    assert.deepEqual(received.map(({ method, url }) => [method, url.pathname]), [["GET", "/done"]]);
  });
});

Deno.test("an answer that takes too long is a timeout, a closed port an error", async () => {
  await withServer(async (url, _received, sql) => {
    const [row] = await sql`
      select net.http_get(${`${url}/slow`}, timeout_milliseconds := 100) as slow,
        net.http_delete('http://127.0.0.1:9/') as closed`;
    const slow = await answerTo(sql, row!.slow);
    assert.deepEqual([slow.status_code, slow.timed_out], [null, true]);
    assert.match(slow.error_msg, /^Timeout of 100 ms reached/);
    const closed = await answerTo(sql, row!.closed);
    assert.equal(closed.status_code, null);
    assert.ok(closed.error_msg.length > 0);
  });
});

Deno.test("the time limit is five seconds unless told otherwise, and the queue is not logged", async () => {
  await withDatabase(async (sql) => {
    const [row] = await sql`
      select pg_get_function_arguments('net.http_post(text,jsonb,jsonb,jsonb,integer)'::regprocedure) as post,
        (select relpersistence from pg_class where oid = 'net.http_request_queue'::regclass) as queue,
        (select relpersistence from pg_class where oid = 'net._http_response'::regclass) as answers`;
    assert.match(row!.post, /timeout_milliseconds integer DEFAULT 5000/);
    assert.deepEqual([row!.queue, row!.answers], ["u", "u"]);
  });
});
