import { HonoRequest } from "hono/request";
import assert from "node:assert/strict";
import { originOf } from "shared/http/origin.ts";
import { createTestServices } from "../../support/services.ts";

const own = { "x-request-id": "r1", traceparent: "p1" };

function originFor(headers: Record<string, string>, env: Record<string, string> = {}) {
  const { services } = createTestServices(env);
  const request = new HonoRequest(new Request("http://localhost/", { headers }));
  const trace = { traceId: "t1", traceparent: "p1" };
  return originOf(request, { services, requestId: "r1", trace });
}

Deno.test("the database is told the request id, the client's address and its agent", () => {
  assert.deepEqual(
    originFor({ "x-forwarded-for": "203.0.113.7, 10.0.0.1", "user-agent": "app/2" }),
    {
      ...own,
      "x-forwarded-for": "203.0.113.7",
      "user-agent": "app/2",
    },
  );
  assert.deepEqual(originFor({ "x-forwarded-for": "2001:db8::1" }), {
    ...own,
    "x-forwarded-for": "2001:db8::1",
  });
});

Deno.test("what is no address, or comes in another header than the trusted one, is not passed on", () => {
  assert.deepEqual(originFor({ "x-forwarded-for": "unknown" }), { ...own });
  assert.deepEqual(
    originFor({ "x-forwarded-for": "203.0.113.7", "cf-connecting-ip": "198.51.100.9" }, {
      SUPABASE_URL: "https://project.supabase.co",
    }),
    { ...own, "x-forwarded-for": "198.51.100.9" },
  );
});
