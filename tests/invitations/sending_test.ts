import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { createPerson, type Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { mailsTo, mailTo } from "../support/mail.ts";
import { accept } from "../support/members.ts";
import { createMember, createTenant, setStatus, type Tenant } from "../support/tenants.ts";

interface Report {
  sent: number;
  lines: { line: number; email: string | null; invitation_id: string; error: string | null }[];
}

const newEmail = () => `${crypto.randomUUID()}@nexus.test`;
const list = (count: number) => Array.from({ length: count }, newEmail);

const send = (
  { client }: Person,
  { id }: Tenant,
  lines: unknown,
  options: Record<string, unknown> = {},
) => client.rpc("invitations_send", { tenant_id: id, lines, ...options });

const call = ({ client }: Person, name: string, { id }: Tenant, invitation: string) =>
  client.rpc(`invitations_${name}`, { tenant_id: id, invitation });

async function createClosed(app_url: string | null = "https://app.example.org/x/") {
  const tenant = await createTenant({ registration_policy: "invitation", app_url });
  return { tenant, owner: await createMember(tenant, "owner") };
}

const invitationTo = (email: string) => mailTo(email, "invitations.invitation");
const tokenIn = ({ text }: { text: string }) => /[A-Za-z0-9_-]{64}/.exec(text)![0];

Deno.test("an invitation by mail is for its address, once", async (t) => {
  const { tenant, owner } = await createClosed();
  const guest = await createPerson();
  const line = { email: ` ${guest.email.toUpperCase()} `, role: "guest+staff" };
  const report = await must<Report>(send(owner, tenant, [line]));
  assertEquals(report.lines.map(({ email, error }) => [email, error]), [[guest.email, null]]);
  const mail = await invitationTo(guest.email);
  const token = tokenIn(mail);
  await t.step("its link leads to the tenant's app, the token where no server sees it", () => {
    assertEquals(mail.text.includes(`https://app.example.org/x/join#invitation=${token}`), true);
  });
  await t.step("nobody else uses it", async () => {
    await assertRefused(accept(await createPerson(), token), 403, "invitations.other_address");
  });
  await t.step("they do", async () => {
    assertEquals((await must<{ role: string }>(accept(guest, token))).role, "guest+staff");
    await assertRefused(accept(guest, token), 409, "invitations.ended");
  });
  await t.step("thirty days later the address is forgotten", () =>
    withDatabase(async (sql) => {
      await sql`
        update invitations set ended_at = now() - interval '31 days' where tenant_id = ${tenant.id}`;
      await sql`select private.invitations_expire()`;
      const [row] = await sql`select email from invitations where tenant_id = ${tenant.id}`;
      assertEquals(row!.email, null);
    }));
});

Deno.test("where a tenant has no app, the mail carries the token itself", async () => {
  const { tenant, owner } = await createClosed(null);
  const guest = await createPerson();
  await must(send(owner, tenant, [guest.email]));
  await must(accept(guest, tokenIn(await invitationTo(guest.email))));
});

Deno.test("each line of a list is told of by itself", async () => {
  const { tenant, owner } = await createClosed();
  const [member, banned, elsewhere] = await Promise.all([
    createMember(tenant),
    createMember(tenant),
    createTenant().then((other) => createMember(other)),
  ]);
  await setStatus(owner.client, tenant, banned, "banned");
  const fresh = newEmail();
  const lines = [fresh, "nobody", member.email, banned.email, fresh, 7, null, {}, elsewhere.email];
  const report = await must<Report>(send(owner, tenant, lines));
  assertEquals(report.lines.map(({ line, error }) => [line, error]), [
    [1, null],
    [2, "request.invalid"],
    [3, "members.already_member"],
    [4, "members.already_member"],
    [5, "invitations.twice"],
    [6, "request.invalid"],
    [7, "request.invalid"],
    [8, "request.invalid"],
    // Being somebody elsewhere is nobody's business here.
    [9, null],
  ]);
  assertEquals(report.sent, 2);
  const again = await must<Report>(send(owner, tenant, [fresh]));
  assertEquals(again.lines[0]?.error, "invitations.already_invited");
});

Deno.test("five hundred go out one after the other, long after the answer, and a second list behind them", async () => {
  const { tenant, owner } = await createClosed();
  assertEquals((await must<Report>(send(owner, tenant, list(500)))).sent, 500);
  await must(send(owner, tenant, list(2)));
  await withDatabase(async (sql) => {
    const waiting = await sql<{ gap: number }[]>`
      select extract(epoch from j.run_at - lag(j.run_at) over (order by j.run_at))::float as gap
      from private.jobs j
      where j.tenant_id = ${tenant.id} and j.kind = 'notifications.email' and j.run_at > now()
      order by j.run_at`;
    // Nobody is to wait for these once the test is over.
    await sql`
      select private.notify_withdraw(t.tenant_id, t.event_id) from private.invitations_tokens t
      where t.tenant_id = ${tenant.id}`;
    const gaps = waiting.slice(1).map(({ gap }) => gap);
    assertEquals(gaps.length > 450, true, `${gaps.length} wait`);
    assertEquals(Math.min(...gaps) >= 1.9, true, `the closest: ${Math.min(...gaps)} s`);
  });
});

Deno.test("a revoked invitation whose mail still waits is not sent", async () => {
  const { tenant, owner } = await createClosed();
  const [first, second] = list(2) as [string, string];
  const { lines } = await must<Report>(send(owner, tenant, [first, second]));
  await must(call(owner, "revoke", tenant, lines[1]!.invitation_id));
  await invitationTo(first);
  const [third] = list(1) as [string];
  await must(send(owner, tenant, [third]));
  // In the order of their slots: once the third is there, the second would be.
  await invitationTo(third);
  assertEquals(await mailsTo(second), []);
});

Deno.test("invitations_resend: a new token, the one before is void; three a day", async (t) => {
  const { tenant, owner } = await createClosed();
  const guest = await createPerson();
  const resend = (by: Person, invitation: string) => call(by, "resend", tenant, invitation);
  const { lines } = await must<Report>(send(owner, tenant, [guest.email]));
  const id = lines[0]!.invitation_id;
  const before = tokenIn(await invitationTo(guest.email));
  await must(resend(owner, id));
  await t.step("void", () => assertRefused(accept(guest, before), 404, "invitations.not_found"));
  await t.step("no more than three", async () => {
    await must(resend(owner, id));
    await must(resend(owner, id));
    await assertRefused(resend(owner, id), 429, "limits.exceeded");
  });
  await t.step("who sends it again answers for it", async () => {
    const manager = await createMember(tenant, "admin");
    const report = await must<Report>(send(manager, tenant, list(1)));
    await setStatus(owner.client, tenant, manager, "banned");
    const sent = resend(owner, report.lines[0]!.invitation_id);
    assertEquals((await must<{ created_by: string }>(sent)).created_by, owner.id);
  });
  await t.step("not one that ended, nor a link, nor one that is not there", async () => {
    await must(call(owner, "revoke", tenant, id));
    await assertRefused(resend(owner, id), 409, "invitations.ended");
    const link = await must<{ id: string }>(
      owner.client.rpc("invitations_create", { tenant_id: tenant.id }),
    );
    for (const none of [link.id, crypto.randomUUID()]) {
      await assertRefused(resend(owner, none), 404, "invitations.not_found");
    }
  });
});

Deno.test("invitations_send: who may, what is a list, how often", async (t) => {
  const { tenant, owner } = await createClosed();
  const [manager, member] = await Promise.all([
    createMember(tenant, "admin"),
    createMember(tenant),
  ]);
  await t.step(
    "not a member",
    () => assertRefused(send(member, tenant, list(1)), 403, "members.permission_denied"),
  );
  for (const bad of [null, {}, [], list(501)]) {
    await t.step(
      `refused: ${JSON.stringify(bad).slice(0, 4)}`,
      () => assertRefused(send(owner, tenant, bad), 422, "request.invalid"),
    );
  }
  await t.step("a role that may not be given stops the list", async () => {
    const lines = [newEmail(), { email: newEmail(), role: "owner" }];
    await assertRefused(send(manager, tenant, lines), 403, "members.role_above_own");
    await assertRefused(send(owner, tenant, lines), 409, "members.ownership_is_offered");
    const king = send(owner, tenant, list(1), { role: "king" });
    await assertRefused(king, 404, "members.role_not_found");
    const late = send(owner, tenant, list(1), { expires_at: "2020-01-01" });
    await assertRefused(late, 422, "request.invalid");
  });
  await t.step("twenty lists an hour", async () => {
    for (let count = 0; count < 20; count++) await must(send(owner, tenant, ["nobody"]));
    await assertRefused(send(owner, tenant, ["nobody"]), 429, "limits.exceeded");
  });
});
