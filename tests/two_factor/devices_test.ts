import assert from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { assertProblem, tokenOf } from "../support/api.ts";
import { admin, type Person, signIn } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { begin, decide } from "../device_codes/support.ts";
import { mailTo } from "../support/mail.ts";
import { createMember, createTenant } from "../support/tenants.ts";
import { ageFactors, codeOf, createEnrolled, enrol, overStack, read } from "./support.ts";

interface Device {
  id: string;
  name: string;
  current: boolean;
  last_used_at: string | null;
  expires_at: string;
  token: string;
}

type Signed = Pick<Person, "client">;

const remember = ({ client }: Signed, name = "Laptop") =>
  client.rpc("two_factor_remember_device", { name });

const recall = ({ client }: Signed, token: string | null) =>
  client.rpc("two_factor_recall_device", { token });

const listOf = async ({ client }: Signed) =>
  (await must<{ data: Device[] }>(client.rpc("two_factor_devices"))).data;

const opens = async ({ client }: Signed) =>
  (await must<{ id: string }[]>(client.from("tenants").select("id"))).length;

/** What keeps a session out, if anything. */
const fault = async ({ client }: Signed) =>
  (await client.rpc("sessions_list")).error?.message ?? null;

const tenant = await createTenant();

/** Somebody with a factor and a remembered device, and another session that it let in. */
async function createRemembered() {
  const person = await enrol(await createMember(tenant));
  const device = await must<Device>(remember(person));
  const client = await signIn(person.email);
  await must(recall({ client }, device.token));
  return { person, device, recalled: { client } };
}

Deno.test("a remembered device lets the next login in, through Supabase Auth directly, too", async () => {
  const person = await enrol(await createMember(tenant));
  const { token, ...device } = await must<Device>(remember(person, " Laptop "));
  assert.equal(Math.round((Date.parse(device.expires_at) - Date.now()) / 86_400_000), 30);
  assert.match((await mailTo(person.email, "two_factor.device_remembered")).text, /Laptop/);

  const client = await signIn(person.email);
  assert.deepEqual([await opens({ client }), await fault({ client })], [0, "two_factor.required"]);
  const status = await must<Record<string, unknown>>(recall({ client }, token));
  assert.deepEqual(
    [status.required, status.verified, status.remembered, status.recent],
    [false, false, true, false],
  );
  assert.deepEqual([await opens({ client }), await fault({ client })], [1, null]);
  const [listed] = await listOf({ client });
  assert.deepEqual([listed!.id, listed!.name, listed!.current], [device.id, "Laptop", true]);
  assert.ok(listed!.last_used_at);
  assert.deepEqual((await listOf(person)).map(({ current }) => current), [false]);
  const kept = await withDatabase((sql) =>
    sql`select d::text as row from private.two_factor_devices d where d.person_id = ${person.id}`
  );
  assert.ok(kept.length === 1 && !kept[0]!.row.includes(token));
});

Deno.test("the token is its person's, good until its day, and nothing else is", async () => {
  const { person, device } = await createRemembered();
  const other = await createEnrolled();
  const waiting = { client: await signIn(other.email) };
  const refused = async (by: Signed, token: string | null) =>
    await assertRefused(recall(by, token), 422, "two_factor.device_refused");
  await refused(waiting, device.token);
  await refused(waiting, "unknown");
  await refused(waiting, null);
  await withDatabase((sql) =>
    sql`update private.two_factor_devices set expires_at = now() where person_id = ${person.id}`
  );
  await refused({ client: await signIn(person.email) }, device.token);
  assert.deepEqual(await listOf(person), []);
});

Deno.test("A13: a remembered device is never the fresh factor that an act wants", async () => {
  const { person, recalled } = await createRemembered();
  const { client } = recalled;
  const acts: [string, Record<string, unknown>][] = [
    ["two_factor_remember_device", { name: "Phone" }],
    ["two_factor_disable", {}],
    ["accounts_request_deletion", {}],
    ["accounts_caller", { recently_proved: true }],
  ];
  for (const [name, args] of acts) {
    await assertRefused(client.rpc(name, args), 403, "two_factor.recent_required");
  }
  const { user_code } = await begin(tenant.slug);
  await assertProblem(await decide(recalled, user_code), 403, "two_factor.required");
  await read(overStack("/verify", await tokenOf(recalled), { code: codeOf(person.secret) }));
  await must(remember(recalled, "Phone"));
  assert.equal((await decide(recalled, user_code)).status, 200);
});

Deno.test("A13: remembering wants a factor given a moment ago, and a name", async () => {
  const person = await createEnrolled();
  await assertRefused(remember(person, " "), 422, "request.invalid");
  await assertRefused(remember(person, "x".repeat(61)), 422, "request.invalid");
  for (let count = 0; count < 10; count++) await must(remember(person, `Device ${count}`));
  await assertRefused(remember(person), 409, "two_factor.too_many_devices");
  await ageFactors(person, "301 seconds");
  await assertRefused(remember(person), 403, "two_factor.recent_required");
  assert.equal((await listOf(person)).length, 10);
});

Deno.test("a tenant whose rule asks the role for a factor is not opened by a remembered device", async () => {
  const strict = await createTenant();
  const [owner, staff] = await Promise.all([
    createMember(strict, "owner"),
    createMember(strict, "staff"),
  ]);
  const person = await enrol(staff);
  const { token } = await must<Device>(remember(person));
  const client = await signIn(person.email);
  await must(recall({ client }, token));
  assert.equal(await opens({ client }), 1);
  await must(owner.client.rpc("two_factor_set_rule", {
    tenant_id: strict.id,
    role: "staff",
    required_from: new Date(Date.now() - 1000).toISOString(),
  }));
  assert.equal(await opens({ client }), 0);
  const statement = { tenant_id: strict.id, currency: "hours" };
  await assertRefused(client.rpc("wallet_statement", statement), 403, "two_factor.required");
  // What is the person's own stays open: there it is their rule.
  assert.equal(await fault({ client }), null);
  await read(overStack("/verify", await tokenOf({ client }), { code: codeOf(person.secret) }));
  assert.equal(await opens({ client }), 1);
});

Deno.test("forgetting a device closes what it let in, and nobody forgets another's", async () => {
  const { person, device, recalled } = await createRemembered();
  const other = await createEnrolled();
  const forget = ({ client }: Signed) =>
    client.rpc("two_factor_forget_device", { device: device.id });
  await assertRefused(forget(other), 404, "two_factor.device_not_found");
  assert.equal(await fault(recalled), null);
  assert.equal((await must<Device>(forget(person))).name, "Laptop");
  assert.equal(await fault(recalled), "two_factor.required");
  await assertRefused(recall(recalled, device.token), 422, "two_factor.device_refused");
  await assertRefused(forget(person), 404, "two_factor.device_not_found");
});

Deno.test("another password, address or factor, new backup codes and signing out elsewhere forget all devices", async (t) => {
  const person = await createEnrolled();
  const act = () => admin().auth.admin;
  const ends: Record<string, () => PromiseLike<unknown>> = {
    "new backup codes": async () =>
      await read(overStack("/backup-codes/regenerate", await tokenOf(person), {})),
    "signed out elsewhere": () => must(person.client.rpc("accounts_logout", { scope: "others" })),
    "another address": () =>
      act().updateUserById(person.id, { email: `${crypto.randomUUID()}@nexus.test` }),
    "another factor": () =>
      withDatabase((sql) =>
        sql`insert into private.trust_factors (person_id, kind) values (${person.id}, 'passkey')`
      ),
    "a factor gone": () => must(person.client.rpc("two_factor_disable")),
    "another password": () => act().updateUserById(person.id, { password: "Another-password-1" }),
    "a ban": () => act().updateUserById(person.id, { ban_duration: "1h" }),
  };
  for (const [name, end] of Object.entries(ends)) {
    await t.step(name, async () => {
      const left = () =>
        withDatabase(async (sql) => {
          const [row] = await sql`select
            (select count(*)::int from private.two_factor_devices where person_id = ${person.id}) as devices,
            (select count(*)::int from private.trust_sessions
              where person_id = ${person.id} and method = 'device') as sessions`;
          return [row!.devices, row!.sessions];
        });
      await withDatabase(async (sql) => {
        await sql`insert into private.two_factor_devices (person_id, digest, name)
          values (${person.id}, sha256(${name}::bytea), 'Laptop')`;
        await sql`
          with begun as (
            insert into auth.sessions (id, user_id, created_at)
            values (gen_random_uuid(), ${person.id}, now()) returning id
          )
          insert into private.trust_sessions (session_id, person_id, method)
          select id, ${person.id}, 'device' from begun`;
      });
      assert.deepEqual(await left(), [1, 1]);
      await end();
      assert.deepEqual(await left(), [0, 0]);
    });
  }
});
