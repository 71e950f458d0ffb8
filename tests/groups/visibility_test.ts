import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { listen } from "../messaging/support.ts";
import { assertRefused, must } from "../support/answers.ts";
import type { Person } from "../support/clients.ts";
import { attachFile } from "../support/groups.ts";
import { createMember } from "../support/tenants.ts";
import { act, create, createCircle, does, enter, people, posts, read } from "./support.ts";

Deno.test("a secret group is to outsiders one that does not exist, on every path", async () => {
  const { tenant, ana, ben, carl, group } = await createCircle("secret");
  const owner = await createMember(tenant, "owner");
  const thread = await does<{ id: string }>(ana, tenant, "post", {
    group_id: group.id,
    title: "Hush",
    body: "needle",
  });
  const file = await attachFile(ana, tenant.id);
  await does(ana, tenant, "share_file", { group_id: group.id, file });
  const doors = (group_id: string, post_id: string): [string, Record<string, unknown>][] => [
    ["update", { group_id, name: "Mine" }],
    ["close", { group_id }],
    ["join", { group_id }],
    ["leave", { group_id }],
    ["invite", { group_id, person: ben.id }],
    ["decide", { group_id, person: ben.id, admit: true }],
    ["remove", { group_id, person: ben.id }],
    ["unban", { group_id, person: ben.id }],
    ["set_role", { group_id, person: ben.id, role: "member" }],
    ["post", { group_id, title: "x", body: "x" }],
    ["share_file", { group_id, file }],
    ["unshare_file", { group_id, file }],
    ["create", { name: "Below", parent_id: group_id }],
    ["reply", { thread_id: post_id, body: "x" }],
    ["edit", { post_id, body: "x" }],
    ["delete", { post_id }],
    ["set_thread", { thread_id: post_id, pinned: true }],
  ];
  // The tenant's owner manages every group, but not those that nobody tells them of.
  for (const outsider of [carl, owner]) {
    const nowhere = doors(crypto.randomUUID(), crypto.randomUUID());
    for (const [at, [name, args]] of doors(group.id, thread.id).entries()) {
      const { error, status } = await act(outsider, tenant, name, args);
      const missing = await act(outsider, tenant, name, nowhere[at]![1]);
      assertEquals([status, error?.message, error?.details], [
        missing.status,
        missing.error?.message,
        missing.error?.details,
      ], name);
      assertEquals(status, 404, name);
    }
    assertEquals(await read(outsider, group.id), undefined);
    assertEquals([await people(outsider, group.id), await posts(outsider, group.id)], [{}, []]);
    for (const table of ["groups_files", "files"]) {
      const seen = await must<unknown[]>(
        outsider.client.from(table).select().eq(table === "files" ? "id" : "file_id", file),
      );
      assertEquals(seen, [], table);
    }
    await assertRefused(
      outsider.client.rpc("moderation_report", {
        tenant_id: tenant.id,
        kind: "groups.post",
        subject: thread.id,
        reason: "spam",
      }),
      404,
      "moderation.subject_not_found",
    );
    await using ears = await listen(outsider, `private-group-${group.id}`);
    assertEquals(ears.status, "CHANNEL_ERROR");
  }
  assertEquals((await posts(ben, group.id)).length, 1);
});

Deno.test("whoever is invited to a secret group sees that it is there, and nothing in it", async () => {
  const { tenant, ana, carl, group } = await createCircle("secret");
  await does(ana, tenant, "post", { group_id: group.id, title: "Hush", body: "Hush" });
  await does(ana, tenant, "invite", { group_id: group.id, person: carl.id });
  assertEquals((await read(carl, group.id))?.members, 2);
  assertEquals(await posts(carl, group.id), []);
  assertEquals(await people(carl, group.id), { [carl.id]: "invited" });
  await does(carl, tenant, "leave", { group_id: group.id });
  assertEquals(await read(carl, group.id), undefined);
  assertEquals(await people(carl, group.id), {});
  await assertRefused(act(carl, tenant, "join", { group_id: group.id }), 404, "groups.not_found");
});

Deno.test("a private group is known to all and read by its members; a public one by everybody", async () => {
  const { tenant, ana, ben, carl, group } = await createCircle("private");
  const open = await create(ana, tenant);
  const files: string[] = [];
  for (const group_id of [group.id, open.id]) {
    await does(ana, tenant, "post", { group_id, title: "Hello", body: "Hello" });
    const file = await attachFile(ana, tenant.id);
    await does(ana, tenant, "share_file", { group_id, file });
    files.push(file);
  }
  assertEquals((await read(carl, group.id))?.visibility, "private");
  assertEquals([(await posts(carl, group.id)).length, (await posts(carl, open.id)).length], [0, 1]);
  assertEquals(await people(carl, group.id), {});
  assertEquals(await people(carl, open.id), { [ana.id]: "owner" });
  const filesOf = async ({ client }: Person) =>
    (await must<{ id: string }[]>(client.from("files").select("id").in("id", files))).map((
      { id },
    ) => id);
  assertEquals(await filesOf(carl), [files[1]]);
  assertEquals((await filesOf(ben)).length, 2);
  // Reading is not writing.
  await assertRefused(
    act(carl, tenant, "post", { group_id: open.id, title: "x", body: "x" }),
    403,
    "groups.role_missing",
  );
  await does(ana, tenant, "unshare_file", { group_id: open.id, file: files[1] });
  assertEquals(await filesOf(carl), []);
  const elsewhere = await createCircle("public");
  assertEquals(await read(elsewhere.ana, open.id), undefined);
  assertEquals(await posts(elsewhere.ana, open.id), []);
});

Deno.test("access ends with the membership: rows, files, files' bytes and the channel", async () => {
  const { tenant, ana, ben, group } = await createCircle("private");
  await does(ana, tenant, "post", { group_id: group.id, title: "Hello", body: "Hello" });
  {
    await using ears = await listen(ben, `private-group-${group.id}`);
    assertEquals(ears.status, "SUBSCRIBED");
    const { id } = await does<{ id: string }>(ana, tenant, "post", {
      group_id: group.id,
      title: "Live",
      body: "secret words",
    });
    const [heard] = await ears.wait("groups:posted");
    assertEquals({ ...heard, id: null }, {
      id: null,
      tenant_id: tenant.id,
      group_id: group.id,
      post_id: id,
      kind: "thread",
    });
  }
  await does(ana, tenant, "remove", { group_id: group.id, person: ben.id });
  assertEquals([await posts(ben, group.id), await people(ben, group.id)], [[], {}]);
  await using ears = await listen(ben, `private-group-${group.id}`);
  assertEquals(ears.status, "CHANNEL_ERROR");
});

Deno.test("a group below is never more visible than the one above, whichever of them changes", async () => {
  const { tenant, ana, ben, carl, group } = await createCircle("public");
  const below = await create(ana, tenant, { parent_id: group.id });
  await does(carl, tenant, "join", { group_id: below.id });
  await enter(ana, tenant, below.id, ben);
  const hidden = await create(ana, tenant, { parent_id: group.id, visibility: "secret" });
  await assertRefused(
    act(ana, tenant, "create", { name: "x", parent_id: hidden.id, visibility: "private" }),
    409,
    "groups.too_visible",
  );
  await does(ana, tenant, "update", { group_id: group.id, visibility: "private" });
  assertEquals((await read(ana, below.id))?.visibility, "private");
  // Who is not in the group above is not below it any more either.
  assertEquals(await people(ana, below.id), {
    [ana.id]: "owner",
    [ben.id]: "member",
    [carl.id]: "left",
  });
  await assertRefused(
    act(ana, tenant, "update", { group_id: below.id, visibility: "public" }),
    409,
    "groups.too_visible",
  );
  await assertRefused(
    act(carl, tenant, "join", { group_id: below.id }),
    403,
    "groups.parent_first",
  );
  await assertRefused(
    act(ana, tenant, "invite", { group_id: below.id, person: carl.id }),
    403,
    "groups.parent_first",
  );
  await does(ana, tenant, "update", { group_id: group.id, visibility: "secret" });
  assertEquals(await read(carl, below.id), undefined);
  // Leaving the one above ends what is below.
  await does(ben, tenant, "leave", { group_id: group.id });
  assertEquals(await people(ana, below.id), {
    [ana.id]: "owner",
    [ben.id]: "left",
    [carl.id]: "left",
  });
});

Deno.test("a role in the group above is none below, and four levels are enough", async () => {
  const { tenant, ana, ben, group } = await createCircle("public");
  await does(ana, tenant, "set_role", { group_id: group.id, person: ben.id, role: "moderator" });
  let below = await create(ana, tenant, { parent_id: group.id });
  await assertRefused(
    act(ben, tenant, "update", { group_id: below.id, name: "Mine" }),
    403,
    "groups.role_missing",
  );
  for (const _ of [3, 4]) below = await create(ana, tenant, { parent_id: below.id });
  await assertRefused(
    act(ana, tenant, "create", { name: "x", parent_id: below.id }),
    409,
    "groups.too_deep",
  );
});
