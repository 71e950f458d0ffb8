import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { admin, createPerson, type Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createMember, createTenant, type Tenant } from "../support/tenants.ts";

interface Branch {
  id: string;
  owned: boolean;
  members: number;
}

const branchOff = (by: Person, parent: Tenant, options: Record<string, unknown> = {}) =>
  by.client.rpc("tenants_create", {
    slug: `t-${crypto.randomUUID().slice(0, 18)}`,
    name: "Branch",
    parent: parent.id,
    ...options,
  });

const branches = ({ client }: Person, { id }: Tenant) =>
  client.rpc("tenants_branches", { tenant_id: id });

const takeOver = ({ client }: Person, { id }: Tenant, branch: string) =>
  client.rpc("tenants_take_over", { tenant_id: id, branch });

async function createChain() {
  const top = await createTenant();
  const owner = await createMember(top, "owner");
  const middle = await must<Tenant>(branchOff(owner, top));
  const bottom = await must<Tenant>(branchOff(owner, middle));
  return { top, owner, middle, bottom };
}

Deno.test("a tenant has tenants below it, seen from above and opened by membership alone", async (t) => {
  const { top, owner, middle, bottom } = await createChain();
  const manager = await createMember(top, "admin");
  await t.step("from the top one sees both", async () => {
    const rows = await must<Branch[]>(branches(owner, top));
    assertEquals(rows.map(({ id, owned, members }) => [id, owned, members]), [
      [middle.id, true, 1],
      [bottom.id, true, 1],
    ]);
    assertEquals((await must<Branch[]>(branches(owner, middle))).map(({ id }) => id), [bottom.id]);
  });
  await t.step("nothing is inherited", async () => {
    const seen = manager.client.from("tenants").select("id");
    assertEquals(await must(seen), [{ id: top.id }]);
    await assertRefused(branches(manager, top), 403, "members.permission_denied");
    const intrude = manager.client.rpc("members_waiting", { tenant_id: middle.id });
    await assertRefused(intrude, 404, "tenants.not_found");
  });
  await t.step("below nothing there is nothing", () =>
    withDatabase(async (sql) => {
      const [row] = await sql`
        select (select count(*) from private.tenants_below(null))::int as none,
          (select count(*) from private.tenants_below(${bottom.id}))::int as leaf`;
      assertEquals([row!.none, row!.leaf], [0, 0]);
      const attempt = sql`update tenants set path = '{}', parent_id = null where id = ${middle.id}`;
      await attempt;
      const [kept] = await sql`select path from tenants where id = ${middle.id}`;
      assertEquals(kept!.path, [top.id, middle.id]);
    }));
});

Deno.test("who makes a tenant below another, and for whom", async (t) => {
  const { top, owner, bottom } = await createChain();
  const [manager, stranger] = await Promise.all([createMember(top, "admin"), createPerson()]);
  await t.step(
    "not who lacks the permission",
    () => assertRefused(branchOff(manager, top), 403, "members.permission_denied"),
  );
  await t.step(
    "not a stranger",
    () => assertRefused(branchOff(stranger, top), 404, "tenants.not_found"),
  );
  await t.step("nobody is made an owner from outside", async () => {
    const forced = branchOff(owner, top, { owner: stranger.id });
    await assertRefused(forced, 404, "people.not_found");
    const made = await must<Tenant>(branchOff(owner, top, { owner: manager.id }));
    const row = admin().from("members").select("person_id, role").eq("tenant_id", made.id);
    assertEquals(await must(row), [{ person_id: manager.id, role: "owner" }]);
  });
  await t.step("four levels", async () => {
    const last = await must<Tenant>(branchOff(owner, bottom));
    await assertRefused(branchOff(owner, last), 422, "request.invalid");
  });
  await t.step("at most two hundred", () =>
    withDatabase(async (sql) => {
      await sql`
        insert into tenants (slug, name, parent_id)
        select 'b' || left(md5(random()::text), 20), 'Many', ${top.id} from generate_series(1, 200)`;
      await assertRefused(branchOff(owner, top), 409, "tenants.too_many_branches");
    }));
});

Deno.test("a tenant below that lost its owner is taken over from above, by one", async (t) => {
  const { top, owner, middle } = await createChain();
  const second = await createMember(top, "owner");
  await t.step("not one that has its owner", async () => {
    const taken = takeOver(second, top, middle.id);
    await assertRefused(taken, 403, "members.permission_denied");
  });
  await t.step("not one that is not below", async () => {
    const other = await createTenant();
    for (const branch of [other.id, top.id, crypto.randomUUID()]) {
      await assertRefused(takeOver(owner, top, branch), 404, "tenants.not_found");
    }
  });
  await t.step("one of two who come at once", async () => {
    await must(admin().auth.admin.deleteUser(owner.id));
    const third = await createMember(top, "owner");
    const answers = await Promise.all([second, third].map((by) => takeOver(by, top, middle.id)));
    assertEquals(answers.map(({ error }) => error?.message ?? "done").sort(), [
      "done",
      "members.permission_denied",
    ]);
    const seen = await must<Branch[]>(branches(second, top));
    assertEquals(seen.find(({ id }) => id === middle.id)?.owned, true);
  });
});
