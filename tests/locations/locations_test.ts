import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import type { Person } from "../support/clients.ts";
import { tokenOf } from "../support/api.ts";
import { withDatabase } from "../support/database.ts";
import { createMember, createTenant, type Tenant } from "../support/tenants.ts";

interface Location {
  id: string;
  parent_id: string | null;
  path: string[];
  closed_at: string | null;
}

const save = ({ client }: Person, { id }: Tenant, name: string, options = {}) =>
  client.rpc("locations_save", { tenant_id: id, name, ...options });

const assign = ({ client }: Person, { id }: Tenant, person: string, locations: unknown) =>
  client.rpc("locations_assign", { tenant_id: id, person, locations });

const scope = ({ client }: Person, { id }: Tenant, role: string, everywhere: boolean | null) =>
  client.rpc("locations_scope_role", { tenant_id: id, role, everywhere });

const unknown = crypto.randomUUID();

/** Two houses, one with a room; an owner, and staff who act where they are told. */
async function createHouses() {
  const tenant = await createTenant();
  const [owner, staff] = await Promise.all([
    createMember(tenant, "owner"),
    createMember(tenant, "staff"),
  ]);
  const make = (name: string, parent?: string) =>
    must<Location>(save(owner, tenant, name, parent ? { parent } : {}));
  const [north, south] = [await make("North"), await make("South")];
  const room = await make("Room", north.id);
  await must(scope(owner, tenant, "staff", false));
  return { tenant, owner, staff, north, south, room };
}

/** Asks the database as the person's session does. */
async function asking<T>(person: Person, question: string, parameters: unknown[]): Promise<T> {
  const [, payload] = (await tokenOf(person)).split(".");
  const claims = new TextDecoder().decode(
    Uint8Array.fromBase64(payload!, { alphabet: "base64url" }),
  );
  return await withDatabase((sql) =>
    sql.begin(async (transaction) => {
      await transaction`select set_config('request.jwt.claims', ${claims}, true)`;
      const [row] = await transaction.unsafe(question, parameters as string[]);
      return row!.answer;
    })
  );
}

const placesOf = (person: Person) =>
  asking<string[]>(
    person,
    "select coalesce(array_agg(l order by l), '{}') as answer from private.locations_with('tenants.read') l",
    [],
  );

const mayAt = (person: Person, tenant: Tenant, location: string | null) =>
  asking<string>(
    person,
    "select private.require_at($1, 'tenants.read', $2) as answer",
    [tenant.id, location],
  ).then(() => "may", ({ message }) => message);

Deno.test("who was given no location acts at none", async (t) => {
  const { tenant, owner, staff, north, south, room } = await createHouses();
  await t.step("an owner acts everywhere", async () => {
    assertEquals(await placesOf(owner), [north.id, south.id, room.id].sort());
    for (const place of [north.id, room.id, null]) {
      assertEquals(await mayAt(owner, tenant, place), "may");
    }
  });
  await t.step("staff without any: nowhere", async () => {
    assertEquals(await placesOf(staff), []);
    for (const place of [north.id, south.id, room.id, null]) {
      assertEquals(await mayAt(staff, tenant, place), "locations.not_yours");
    }
  });
  await t.step("a place given, and all below it", async () => {
    await must(assign(owner, tenant, staff.id, [north.id]));
    assertEquals(await placesOf(staff), [north.id, room.id].sort());
    assertEquals(await mayAt(staff, tenant, room.id), "may");
    assertEquals(await mayAt(staff, tenant, south.id), "locations.not_yours");
    assertEquals(await mayAt(staff, tenant, null), "locations.not_yours");
    assertEquals(await mayAt(staff, tenant, unknown), "locations.not_found");
  });
  await t.step("a room alone is not its house", async () => {
    await must(assign(owner, tenant, staff.id, [room.id]));
    assertEquals(await placesOf(staff), [room.id]);
  });
  await t.step("an empty list is nowhere again", async () => {
    await must(assign(owner, tenant, staff.id, []));
    assertEquals(await placesOf(staff), []);
  });
  await t.step("nor does anybody of another tenant", async () => {
    const outsider = await createMember(await createTenant(), "owner");
    assertEquals(await placesOf(outsider), []);
    assertEquals(await mayAt(outsider, tenant, north.id), "tenants.not_found");
  });
});

Deno.test("no location is without a way, and none is below itself", async (t) => {
  const { tenant, owner, north, south, room } = await createHouses();
  await t.step("moving a house moves its rooms", async () => {
    await must(save(owner, tenant, "North", { location: north.id, parent: south.id }));
    const rows = await must<Location[]>(
      owner.client.from("locations").select("*").eq("id", room.id),
    );
    assertEquals(rows[0]?.path, [south.id, north.id, room.id]);
  });
  await t.step("not below itself, nor below its own room", async () => {
    for (const parent of [south.id, north.id, room.id]) {
      const below = save(owner, tenant, "South", { location: south.id, parent });
      await assertRefused(below, 422, "request.invalid");
    }
  });
  await t.step("not below more than five", async () => {
    let parent = room.id;
    for (let depth = 4; depth <= 6; depth++) {
      parent = (await must<Location>(save(owner, tenant, `Level ${depth}`, { parent }))).id;
    }
    await assertRefused(save(owner, tenant, "Too deep", { parent }), 422, "request.invalid");
    const deeper = save(owner, tenant, "South", { location: south.id, parent });
    await assertRefused(deeper, 422, "request.invalid");
  });
  await t.step("an empty way is no row", () =>
    withDatabase(async (sql) => {
      const attempt = sql`
        insert into locations (tenant_id, path, name) values (${tenant.id}, '{}', 'Nowhere')`;
      assertEquals(await attempt.then(() => "done", ({ code }) => code), "23514");
    }));
  await t.step("closed and opened", async () => {
    const close = (closed: boolean) =>
      must<Location>(owner.client.rpc("locations_close", {
        tenant_id: tenant.id,
        location: south.id,
        closed,
      }));
    assertEquals((await close(true)).closed_at !== null, true);
    assertEquals((await close(false)).closed_at, null);
  });
});

Deno.test("whoever acts at some locations gives and takes those alone", async (t) => {
  const { tenant, owner, staff, north, south, room } = await createHouses();
  await must(owner.client.rpc("members_role_save", {
    tenant_id: tenant.id,
    slug: "keeper",
    name: "Keeper",
    rank: 70,
    permissions: ["tenants.read", "locations.manage", "members.roles", "members.manage"],
  }));
  await must(scope(owner, tenant, "keeper", false));
  const keeper = await createMember(tenant, "keeper");
  await must(assign(owner, tenant, keeper.id, [north.id]));
  await must(assign(owner, tenant, staff.id, [south.id]));

  await t.step("theirs is added, others' stays", async () => {
    await must(assign(keeper, tenant, staff.id, [room.id]));
    assertEquals(await placesOf(staff), [room.id, south.id].sort());
  });
  await t.step("not what is not theirs", async () => {
    await assertRefused(assign(keeper, tenant, staff.id, [south.id]), 403, "locations.not_yours");
    const elsewhere = save(keeper, tenant, "Room", { parent: south.id });
    await assertRefused(elsewhere, 403, "locations.not_yours");
    await assertRefused(save(keeper, tenant, "On top"), 403, "locations.not_yours");
    await must(save(keeper, tenant, "Cellar", { parent: north.id }));
  });
  await t.step("not to themselves, nor to whoever stands above", async () => {
    await assertRefused(assign(keeper, tenant, keeper.id, [north.id]), 403, "members.not_yourself");
    await assertRefused(assign(keeper, tenant, owner.id, []), 403, "members.role_above_own");
  });
  await t.step("they rename what is theirs, and move it no further", async () => {
    await must(save(keeper, tenant, "North, renamed", { location: north.id }));
    const away = save(keeper, tenant, "Room", { location: room.id });
    await assertRefused(away, 403, "locations.not_yours");
  });
  await t.step("no role that acts everywhere, nor one made to", async () => {
    await must(owner.client.rpc("members_role_save", {
      tenant_id: tenant.id,
      slug: "helper",
      name: "Helper",
      rank: 10,
      permissions: ["tenants.read"],
    }));
    const member = await createMember(tenant);
    const give = () =>
      keeper.client.rpc("members_set_role", {
        tenant_id: tenant.id,
        person: member.id,
        role: "helper",
      });
    await assertRefused(give(), 403, "members.role_above_own");
    await must(scope(owner, tenant, "helper", false));
    await assertRefused(scope(keeper, tenant, "helper", true), 403, "locations.not_yours");
    await must(give());
  });
});

Deno.test("locations: who may, and what is refused", async (t) => {
  const { tenant, owner, staff, north } = await createHouses();
  const close = (by: Person, location: string) =>
    by.client.rpc("locations_close", { tenant_id: tenant.id, location });
  await t.step("staff may not", async () => {
    for (
      const attempt of [
        save(staff, tenant, "x"),
        close(staff, north.id),
        assign(staff, tenant, staff.id, [north.id]),
        scope(staff, tenant, "staff", true),
      ]
    ) await assertRefused(attempt, 403, "members.permission_denied");
  });
  await t.step("what is not there", async () => {
    await assertRefused(save(owner, tenant, "x", { parent: unknown }), 404, "locations.not_found");
    await assertRefused(close(owner, unknown), 404, "locations.not_found");
    const nowhere = assign(owner, tenant, staff.id, [unknown]);
    await assertRefused(nowhere, 404, "locations.not_found");
    await assertRefused(assign(owner, tenant, unknown, []), 404, "members.not_found");
    await assertRefused(scope(owner, tenant, "king", true), 404, "members.role_not_found");
  });
  await t.step("what has no form", async () => {
    await assertRefused(save(owner, tenant, " "), 422, "request.invalid");
    await assertRefused(save(owner, tenant, "x", { time_zone: "Mars" }), 422, "request.invalid");
    await assertRefused(assign(owner, tenant, staff.id, null), 422, "request.invalid");
    await assertRefused(scope(owner, tenant, "staff", null), 422, "request.invalid");
  });
  await t.step(
    "owners act everywhere, always",
    () => assertRefused(scope(owner, tenant, "owner", false), 409, "members.role_built_in"),
  );
  await t.step("several roles act everywhere where each does", async () => {
    const member = await createMember(tenant);
    const role = "guest+staff";
    await must(owner.client.rpc("members_set_role", {
      tenant_id: tenant.id,
      person: member.id,
      role,
    }));
    assertEquals(await placesOf(member), []);
    await assertRefused(scope(owner, tenant, role, true), 404, "members.role_not_found");
    await must(scope(owner, tenant, "staff", true));
    assertEquals((await placesOf(member)).length, 3);
  });
});
