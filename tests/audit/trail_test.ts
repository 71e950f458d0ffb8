import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { admin, createPerson, type Person, signIn } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createMember, createTenant, setStatus, type Tenant } from "../support/tenants.ts";

interface Line {
  id: string;
  created_at: string;
  action: string;
  resource: string;
  actor: string | null;
  session_id: string | null;
  request_id: string | null;
  ip: string | null;
  user_agent: string | null;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
  cursor: string;
}

const search = (by: Person, tenant: Tenant, args: Record<string, unknown> = {}) =>
  by.client.rpc("audit_search", { tenant_id: tenant.id, ...args });

async function busyTenant() {
  const tenant = await createTenant();
  const [owner, member] = await Promise.all([createMember(tenant, "owner"), createMember(tenant)]);
  await setStatus(owner.client, tenant, member, "suspended");
  await setStatus(owner.client, tenant, member, "active");
  return { tenant, owner, member };
}

Deno.test("an act leaves one line: who, what, to whom, from where, before and after", async () => {
  const { tenant, owner, member } = await busyTenant();
  const lines = await must<Line[]>(search(owner, tenant, { action: "MEMBER_STATUS_CHANGED" }));
  assertEquals(
    lines.map(({ actor, resource, before, after }) => [actor, resource, before, after]),
    [["suspended", "active"], ["active", "suspended"]].map(([from, to]) => [
      owner.id,
      `members:${member.id}`,
      { status: from },
      { status: to },
    ]),
  );
  const [line] = lines;
  assertEquals(/^10\./.test(line!.ip ?? ""), true, "the address the gateway passed on");
  assertEquals([line!.session_id === null, line!.user_agent === null], [false, false]);
});

Deno.test("a change through the Data API is on the trail like one through a function", async () => {
  const { tenant, owner } = await busyTenant();
  await must(owner.client.from("tenants").update({ name: "Renamed" }).eq("id", tenant.id));
  const [line] = await must<Line[]>(search(owner, tenant, { action: "TENANT_UPDATED" }));
  assertEquals([line!.before, line!.after, line!.actor], [
    { name: tenant.name },
    { name: "Renamed" },
    owner.id,
  ]);
});

Deno.test("reading the trail is on the trail", async () => {
  const { tenant, owner } = await busyTenant();
  await must(search(owner, tenant, { actor: owner.id }));
  const [read] = await must<Line[]>(search(owner, tenant, { action: "AUDIT_READ" }));
  assertEquals([read!.actor, read!.after], [owner.id, { actor: owner.id }]);
});

Deno.test("the trail is searched by date, actor, action and resource, in pages", async (t) => {
  const { tenant, owner, member } = await busyTenant();
  const all = await must<Line[]>(search(owner, tenant));
  const kinds = (lines: Line[]) => lines.map(({ action }) => action);
  await t.step("by actor", async () => {
    assertEquals(await must(search(owner, tenant, { actor: member.id })), []);
  });
  await t.step("by resource", async () => {
    const lines = await must<Line[]>(search(owner, tenant, { resource: `members:${member.id}` }));
    assertEquals(kinds(lines), ["MEMBER_STATUS_CHANGED", "MEMBER_STATUS_CHANGED", "MEMBER_JOINED"]);
  });
  await t.step("from a moment on, and up to it", async () => {
    const writtenAt = Number.parseInt(all[0]!.id.replaceAll("-", "").slice(0, 12), 16);
    const middle = new Date(writtenAt + 1).toISOString();
    const before = await must<Line[]>(search(owner, tenant, { to: middle }));
    assertEquals(before.some(({ action }) => action === "AUDIT_READ"), false);
    const after = await must<Line[]>(search(owner, tenant, { from: middle }));
    assertEquals(new Set(kinds(after)), new Set(["AUDIT_READ"]));
  });
  for (const to of ["infinity", "20000-01-01"]) {
    await t.step(`between moments no id can hold, up to ${to}`, async () => {
      const from = to === "infinity" ? "-infinity" : "1900-01-01";
      assertEquals((await must<Line[]>(search(owner, tenant, { from, to }))).length >= 5, true);
    });
  }
  await t.step("page by page", async () => {
    const seen: string[] = [];
    let cursor: string | null = all[0]!.cursor;
    for (;;) {
      const page: Line[] = await must<Line[]>(search(owner, tenant, { cursor, page_size: 2 }));
      if (page.length === 0) break;
      seen.push(...page.map(({ id }) => id));
      cursor = page.at(-1)!.cursor;
    }
    assertEquals(seen, all.slice(1).map(({ id }) => id));
  });
  for (const args of [{ page_size: 0 }, { page_size: 101 }, { cursor: "x" }]) {
    await t.step(
      `refused: ${JSON.stringify(args)}`,
      () => assertRefused(search(owner, tenant, args), 422, "request.invalid"),
    );
  }
  await t.step(
    "not by a member",
    () => assertRefused(search(member, tenant), 403, "members.permission_denied"),
  );
});

Deno.test("logins, logouts and changes of a login are told, without secrets and addresses in clear", async () => {
  const email = `ana.smith.${crypto.randomUUID().slice(0, 8)}@nexus.test`;
  const person = await createPerson({ email });
  const second = await signIn(email);
  await second.auth.signOut({ scope: "local" });
  await admin().auth.admin.updateUserById(person.id, { password: "Another-1-secret" });
  await withDatabase(async (sql) => {
    await sql`select private.audit_signed_out()`;
    const lines = await sql<{ action: string; after: unknown; session_id: string | null }[]>`
      select l.action, l.session_id, d.after from private.audit_log l
      left join private.audit_details d on d.tenant_id = l.tenant_id and d.id = l.id
      where l.tenant_id = private.platform() and l.resource = ${`people:${person.id}`} order by l.id`;
    const count = (action: string) => lines.filter((line) => line.action === action).length;
    assertEquals([count("USER_CREATED"), count("AUTH_LOGIN")], [1, 2]);
    assertEquals([count("USER_UPDATED"), count("AUTH_LOGOUT") >= 1], [1, true]);
    const text = JSON.stringify(lines);
    assertEquals([text.includes(email), text.includes("a***@n***.test")], [false, true]);
    assertEquals(/\$2[aby]\$/.test(text), false, "no password hash");
  });
});

Deno.test("what is kept of before and after is masked and capped", async () => {
  await withDatabase(async (sql) => {
    const [row] = await sql`
      select private.masked(${
      sql.json({
        password: "x",
        nested: [{ api_key: "k", note: "write to ben@example.org" }],
        phone: "+49 170 1234567",
        amount: 5,
      })
    }) as masked, private.capped(${sql.json({ text: "x".repeat(9_000) })}) as capped`;
    assertEquals(row!.masked, {
      password: "[secret]",
      nested: [{ api_key: "[secret]", note: "write to b***@e***.org" }],
      phone: "+** *** *****67",
      amount: 5,
    });
    assertEquals(row!.capped, { truncated_bytes: 9_012 });
  });
});

Deno.test("an action that nobody declared cannot be written", async () => {
  await withDatabase(async (sql) => {
    const refusal = await sql`select private.audit('MADE_UP', 'x:1')`.then(
      () => null,
      (e) => e.code,
    );
    assertEquals(refusal, "23503");
  });
});
