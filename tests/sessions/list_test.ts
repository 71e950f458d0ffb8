import assert from "node:assert/strict";
import { createApp } from "../../functions/api/app.ts";
import { assertRefused, must } from "../support/answers.ts";
import { assertProblem, callApi, tokenOf } from "../support/api.ts";
import { anonymous, createPerson, randomAddress, signIn } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createMember, createTenant } from "../support/tenants.ts";
import { createEnrolled } from "../two_factor/support.ts";
import { functionServices, joins, openSession, sessionIdOf, signInFrom } from "./support.ts";

interface Session {
  id: string;
  device: string | null;
  place: string | null;
  last_seen_at: string;
  current: boolean;
}

const read = async (token: string): Promise<Session[]> => {
  const answer = await callApi("/v1/sessions", { token });
  assert.equal(answer.status, 200);
  return (await answer.json()).data;
};

const firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0";

Deno.test("a person sees their sessions by device, the one that asks first", async () => {
  const person = await createPerson();
  await signInFrom(person.email, firefox);
  const token = await tokenOf(person);
  const sessions = await read(token);
  assert.equal(sessions.length, 2);
  assert.deepEqual(sessions.map(({ current }) => current), [true, false]);
  assert.equal(sessions[0]!.id, sessionIdOf(token));
  assert.deepEqual(Object.keys(sessions[1]!).toSorted(), [
    "current",
    "device",
    "id",
    "last_seen_at",
    "place",
  ]);
  assert.equal(sessions[1]!.device, "Firefox, Windows");
  assert.equal(sessions[1]!.place, null);
  assert.ok(Date.now() - Date.parse(sessions[1]!.last_seen_at) < 60_000);
});

Deno.test("nobody sees or ends the sessions of somebody else", async () => {
  const [person, other] = await Promise.all([createPerson(), createPerson()]);
  const mine = await read(await tokenOf(person));
  assert.equal(mine.length, 1);
  for (const id of [mine[0]!.id, crypto.randomUUID()]) {
    await assertRefused(
      other.client.rpc("sessions_end", { session: id }),
      404,
      "sessions.not_found",
    );
    const call = { method: "DELETE", token: await tokenOf(other) };
    await assertProblem(await callApi(`/v1/sessions/${id}`, call), 404, "sessions.not_found");
  }
  assert.equal((await read(await tokenOf(person))).length, 1);
  for (const rpc of ["sessions_list", "sessions_current"]) {
    assert.equal((await anonymous().rpc(rpc)).error?.code, "42501");
  }
});

Deno.test("A6: a session that its person ends is over with the next statement, through every door", async () => {
  const tenant = await createTenant();
  const person = await createMember(tenant);
  const { client, token, id, tokens } = await openSession(person);
  await must(client.rpc("people_session"));
  const call = { method: "DELETE", token: await tokenOf(person) };
  assert.equal((await callApi(`/v1/sessions/${id}`, call)).status, 204);
  await assertRefused(client.rpc("people_session"), 401, "auth.session_ended");
  assert.deepEqual(await must(client.from("tenants").select("id")), []);
  await assertProblem(await callApi("/v1/users/me", { token }), 401, "auth.session_ended");
  const topic = `private-tenant-${tenant.id}`;
  assert.equal(await joins({ client, token, id, tokens }, topic), false);
  const refreshed = await anonymous().auth.refreshSession({ refresh_token: tokens.refresh_token });
  assert.equal(refreshed.error?.code, "refresh_token_not_found");
  await assertProblem(await callApi(`/v1/sessions/${id}`, call), 404, "sessions.not_found");
});

Deno.test("a session may end itself, and two who end one at once do it once", async () => {
  const person = await createPerson();
  const [one, two] = await Promise.all([openSession(person), openSession(person)]);
  await must(one.client.rpc("sessions_end", { session: one.id }));
  await assertRefused(one.client.rpc("sessions_list"), 401, "auth.session_ended");
  const ends = await Promise.all(
    Array.from({ length: 5 }, () => person.client.rpc("sessions_end", { session: two.id })),
  );
  assert.equal(ends.filter(({ error }) => error === null).length >= 1, true);
  const lines = await withDatabase((sql) =>
    sql`select from private.audit_log where resource = ${`sessions:${two.id}`} and action = 'SESSION_ENDED'`
  );
  assert.equal(lines.length >= 1, true);
});

Deno.test("sessions with bounds, and those before their second factor, see and end none", async () => {
  const person = await createEnrolled();
  const plain = await signIn(person.email);
  await assertRefused(plain.rpc("sessions_list"), 403, "two_factor.required");
  await assertRefused(
    plain.rpc("sessions_end", { session: sessionIdOf(await tokenOf(person)) }),
    403,
    "two_factor.required",
  );
  const { client } = await openSession(person, {
    bounds: { permissions: ["tenants.read"] },
    factor: "delegated",
  });
  for (const rpc of ["sessions_list", "sessions_current"]) {
    await assertRefused(client.rpc(rpc), 403, "auth.session_bounded");
  }
  await assertRefused(
    client.rpc("sessions_end", { session: crypto.randomUUID() }),
    403,
    "auth.session_bounded",
  );
});

Deno.test("an impersonation is neither listed nor ended by whom it is of, nor is a key's session", async () => {
  const [person, admin] = await Promise.all([createPerson(), createPerson()]);
  const impersonation = await openSession(person, { bounds: { actor_id: admin.id } });
  await openSession(person, { purpose: "api_key", bounds: { permissions: [] } });
  const device = await openSession(person, { bounds: { label: "Station 7" } });
  const listed = await read(await tokenOf(person));
  assert.deepEqual(listed.slice(1).map(({ id, device }) => [id, device]), [[
    device.id,
    "Station 7",
  ]]);
  await assertRefused(
    person.client.rpc("sessions_end", { session: impersonation.id }),
    404,
    "sessions.not_found",
  );
});

Deno.test("the country is known where the proxy in front tells it, and believed from nobody else", async () => {
  const person = await createPerson();
  const token = await tokenOf(person);
  const headers = { authorization: `Bearer ${token}`, "cf-ipcountry": "ch" };
  await createApp(functionServices()).request("/api/v1/sessions", { headers });
  assert.equal((await read(token))[0]!.place, null);
  const app = createApp(functionServices({ NEXUS_CLIENT_PLACE_HEADER: "cf-ipcountry" }));
  const place = async (country: string) => {
    const answer = await app.request("/api/v1/sessions", {
      headers: { ...headers, "cf-ipcountry": country },
    });
    return (await answer.json()).data[0].place;
  };
  assert.equal(await place("ch"), "CH");
  // Unknown to the proxy, or nonsense: what was known stays.
  for (const country of ["XX", "T1", "Switzerland"]) assert.equal(await place(country), "CH");

  // A session that never asks for the list is known by its login, its refresh, or its /users/me.
  const call = async (path: string, country: string, body?: unknown, bearer?: string) => {
    const answer = await app.request(`/api/v1${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: {
        "content-type": "application/json",
        "x-forwarded-for": randomAddress(),
        "cf-ipcountry": country,
        ...(bearer && { authorization: `Bearer ${bearer}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return await answer.json();
  };
  const places = async () => (await read(token)).map(({ place }) => place).sort();
  const { email, password } = person;
  const { refresh_token } = await call("/auth/login", "fr", { email, password });
  assert.deepEqual(await places(), ["CH", "FR"]);
  const refreshed = await call("/auth/refresh", "at", { refresh_token });
  assert.deepEqual(await places(), ["AT", "CH"]);
  await call("/users/me", "it", undefined, refreshed.access_token);
  assert.deepEqual(await places(), ["CH", "IT"]);
});

Deno.test("devices are told apart by browser and system, and not by their versions", async () => {
  const known: [string, string | null][] = [
    [firefox, "Firefox, Windows"],
    [firefox.replaceAll("140.0", "141.0"), "Firefox, Windows"],
    [
      "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
      "Edge, Windows",
    ],
    [
      "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36",
      "Chrome, Android",
    ],
    [
      "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
      "Safari, iPhone",
    ],
    [
      "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",
      "Safari, macOS",
    ],
    [
      "Mozilla/5.0 (Linux; Android 14; SAMSUNG SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
      "Samsung Internet, Android",
    ],
    ["Nexus/1.4 (iPad; iPadOS 18.6)", "Nexus, iPad"],
    ["Deno/2.9.6", "Deno"],
    ["Mozilla/5.0", null],
    ["", null],
    ["<script>alert(1)</script>", null],
  ];
  await withDatabase(async (sql) => {
    for (const [userAgent, device] of known) {
      const [row] = await sql`select private.sessions_device(${userAgent}) as device`;
      assert.equal(row!.device, device, userAgent);
    }
  });
});
