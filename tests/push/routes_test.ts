import assert from "node:assert/strict";
import { createApp } from "../../functions/api/app.ts";
import { assertProblem, callApi, tokenOf } from "../support/api.ts";
import { admin, createPerson } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { Receiver } from "../support/push_service.ts";
import { createTestServices } from "../support/services.ts";

const newEndpoint = () => `https://push.nexus.test/push/${crypto.randomUUID()}`;

const addressesOf = ({ id }: { id: string }) =>
  withDatabase(async (sql) =>
    (await sql`select address from private.push_targets where person_id = ${id} order by id`)
      .map(({ address }) => address as string)
  );

async function subscription(endpoint = newEndpoint()) {
  const { p256dh, auth } = await Receiver.create();
  return { endpoint, expirationTime: null, keys: { p256dh, auth } };
}

Deno.test("GET /push/vapid-key gives what a browser subscribes with", async () => {
  const response = await callApi("/v1/push/vapid-key");
  assert.equal(response.status, 200);
  assert.match((await response.json()).public_key, /^B[A-Za-z0-9_-]{86}$/);
});

Deno.test("a project without VAPID keys says so", async () => {
  const { services } = createTestServices();
  const answer = await createApp(services).request("/api/v1/push/vapid-key");
  await assertProblem(answer, 503, "push.not_configured");
});

Deno.test("a browser is registered once however often it says so, until it is removed", async () => {
  const person = await createPerson();
  const token = await tokenOf(person);
  const body = await subscription();
  const post = () => callApi("/v1/push/subscriptions", { token, body });
  const [first, again] = [await post(), await post()];
  assert.deepEqual([first.status, again.status], [201, 201]);
  assert.deepEqual(await first.json(), await again.json());
  assert.deepEqual(await addressesOf(person), [body.endpoint]);
  for (const _ of [1, 2]) {
    const removed = await callApi("/v1/push/subscriptions", {
      method: "DELETE",
      token,
      body: { endpoint: body.endpoint },
    });
    assert.equal(removed.status, 204);
  }
  assert.deepEqual(await addressesOf(person), []);
});

Deno.test("an app is registered and removed by its token", async () => {
  const person = await createPerson();
  const token = await tokenOf(person);
  const device = { token: `fcm:${crypto.randomUUID()}`, label: "Phone" };
  assert.equal((await callApi("/v1/push/devices", { token, body: device })).status, 201);
  assert.deepEqual(await addressesOf(person), [device.token]);
  const removed = await callApi("/v1/push/devices", {
    method: "DELETE",
    token,
    body: { token: device.token },
  });
  assert.equal(removed.status, 204);
  assert.deepEqual(await addressesOf(person), []);
});

Deno.test("a browser belongs to whoever subscribed last, and nobody removes another's", async () => {
  const [first, second] = await Promise.all([createPerson(), createPerson()]);
  const body = await subscription();
  await callApi("/v1/push/subscriptions", { token: await tokenOf(first), body });
  await callApi("/v1/push/subscriptions", { token: await tokenOf(second), body });
  assert.deepEqual(await addressesOf(first), []);
  assert.deepEqual(await addressesOf(second), [body.endpoint]);
  const { data } = await first.client.rpc("push_remove", { address: body.endpoint });
  assert.equal(data, false);
  assert.deepEqual(await addressesOf(second), [body.endpoint]);
});

Deno.test("a person has twenty devices at most: the one silent longest makes room", async () => {
  const person = await createPerson();
  const tokens = Array.from({ length: 22 }, (_, index) => `token-number-${index}-of-${person.id}`);
  for (const token of tokens) {
    assert.equal((await person.client.rpc("push_add_device", { token })).error, null);
  }
  assert.deepEqual(await addressesOf(person), tokens.slice(2));
});

Deno.test("what is no device is refused, by route and RPC alike", async () => {
  const person = await createPerson();
  const token = await tokenOf(person);
  const good = await subscription();
  const refused = [
    { ...good, endpoint: "http://push.nexus.test/x" },
    { ...good, keys: { ...good.keys, p256dh: "short" } },
    { ...good, keys: { p256dh: good.keys.p256dh } },
  ];
  for (const body of refused) {
    const response = await callApi("/v1/push/subscriptions", { token, body });
    await assertProblem(response, 422, "request.invalid");
    const { error } = await person.client.rpc("push_subscribe", {
      endpoint: body.endpoint,
      p256dh: body.keys.p256dh,
      auth: "auth" in body.keys ? body.keys.auth : null,
    });
    assert.equal(error?.message, "request.invalid");
  }
  const response = await callApi("/v1/push/devices", { token, body: { token: "a b" } });
  await assertProblem(response, 422, "request.invalid");
  assert.deepEqual(await addressesOf(person), []);
});

Deno.test("nobody registers anything without a session, and nobody reads devices", async () => {
  const body = await subscription();
  for (const path of ["/v1/push/subscriptions", "/v1/push/devices"]) {
    for (const method of ["POST", "DELETE"]) {
      await assertProblem(await callApi(path, { method, body }), 401, "auth.required");
    }
  }
  const { error } = await admin().from("push_targets").select("*");
  assert.ok(error, "the table is not in the API");
});
