import assert from "node:assert/strict";
import { span, traceOf } from "shared/tracing.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";

Deno.test("a request goes on in its caller's trace, as a new span of it", () => {
  const found = traceOf(`00-${traceId}-b7ad6b7169203331-01`);
  assert.equal(found.traceId, traceId);
  assert.match(found.traceparent!, new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
  assert.doesNotMatch(found.traceparent!, /b7ad6b7169203331/);
});

Deno.test("without a usable traceparent a new trace begins", () => {
  const zeros = "0".repeat(32);
  const unusable = [
    undefined,
    "",
    "x",
    `00-${zeros}-b7ad6b7169203331-01`,
    `00-${traceId}-${"0".repeat(16)}-01`,
    `ff-${traceId}-b7ad6b7169203331-01`,
    `00-${traceId.toUpperCase()}-b7ad6b7169203331-01`,
  ];
  const seen = new Set<string>();
  for (const header of unusable) {
    const { traceId: id, traceparent } = traceOf(header);
    assert.match(traceparent!, new RegExp(`^00-${id}-[0-9a-f]{16}-00$`));
    assert.notEqual(id, traceId);
    seen.add(id);
  }
  assert.equal(seen.size, unusable.length);
});

Deno.test("a span hands on what its work yields or throws", async () => {
  assert.equal(await span("work", {}, () => Promise.resolve(7)), 7);
  await assert.rejects(span("work", {}, () => Promise.reject(new TypeError("no"))), TypeError);
});

Deno.test("where Deno exports spans, ours arrive with their names and the caller's trace", async () => {
  const received: string[] = [];
  await using collector = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      if (new URL(request.url).pathname === "/v1/traces") received.push(await request.text());
      return Response.json({});
    },
  );
  const script = `
    import { requestSpan, span, traceOf } from ${
    JSON.stringify(import.meta.resolve("shared/tracing.ts"))
  };
    const server = Deno.serve({ port: 0, onListen() {} }, (request) => requestSpan(async () => {
      const trace = traceOf(request.headers.get("traceparent"));
      if (new URL(request.url).pathname === "/database") {
        return new Response(trace.traceId + " " + request.headers.get("traceparent"));
      }
      return await span("rpc wallet_transfer", {}, async () => {
        const headers = trace.traceparent ? { traceparent: trace.traceparent } : {};
        return new Response(await (await fetch(new URL("/database", request.url), { headers })).text());
      });
    }));
    const headers = { traceparent: "00-${traceId}-b7ad6b7169203331-01" };
    const { port } = server.addr;
    const answer = await fetch("http://127.0.0.1:" + port, { headers });
    await Deno.stdout.write(new TextEncoder().encode(await answer.text()));
    await server.shutdown();`;
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(file, script);
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--quiet",
        "--no-check",
        `--config=${new URL("../../deno.json", import.meta.url).pathname}`,
        file,
      ],
      env: {
        OTEL_DENO: "true",
        OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.addr.port}`,
      },
    }).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    const [traceId, traceparent] = new TextDecoder().decode(stdout).split(" ");
    // One header, by the runtime: with ours beside it, it would be no valid one.
    assert.match(traceparent!, new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
    assert.ok(received.join().includes("rpc wallet_transfer"), received.join().slice(0, 2000));
    assert.ok(received.join().includes(traceId!));
  } finally {
    await Deno.remove(file);
  }
});
