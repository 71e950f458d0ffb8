import assert from "node:assert/strict";
import { assertProblem, callApi, tokenOf } from "../support/api.ts";
import { assertRefused, must } from "../support/answers.ts";
import { mailTo } from "../support/mail.ts";
import { withDatabase } from "../support/database.ts";
import { createMember, createTenant } from "../support/tenants.ts";
import { content, createWorld, type Newsletter } from "./support.ts";

const world = await createWorld();
const { tenant, head, editor, ask, call } = world;
const member = await createMember(tenant);

/** Whom the criteria mean, which nobody is told. */
const readers = (criteria: Record<string, unknown>[]) =>
  withDatabase(async (sql) => {
    const found = await sql`
      select id from private.newsletters_readers(${tenant.id}, ${
      sql.json(criteria as never)
    }) r (id)`;
    return found.map(({ id }) => id as string);
  });

interface Row {
  id: string;
  version: number;
}

Deno.test("a draft is written by editors, and by one of two at a time", async () => {
  const begun = await call<Newsletter>(editor, "save", { name: "June", content });
  assert.deepEqual([begun.status, begun.version], ["draft", 1]);
  const change = (more: Record<string, unknown>) =>
    ask(head, "save", { newsletter_id: begun.id, name: "July", content, ...more });
  assert.equal((await must<Newsletter>(change({ version: 1 }))).version, 2);
  await assertRefused(change({ version: 1 }), 412, "request.precondition_failed");
  assert.equal((await must<Newsletter>(change({}))).version, 3);
  for (
    const [name, more] of Object.entries({
      save: { name: "x", content },
      save_segment: { name: "x", criteria: [] },
      save_template: { name: "x", content },
      audience: { criteria: [] },
      schedule: { newsletter_id: begun.id },
      tag: { people: [member.id], tag: "x" },
    })
  ) {
    await assertRefused(ask(member, name, more), 403, "members.permission_denied");
  }
  for (
    const [name, more] of Object.entries({
      schedule: { newsletter_id: begun.id },
      move: { newsletter_id: begun.id, act: "cancel" },
      save_recurring: { name: "x", content, cron: "0 9 * * 1" },
      save_sequence: { name: "x", steps: [{ after_hours: 1, content }] },
    })
  ) {
    await assertRefused(ask(editor, name, more), 403, "members.permission_denied");
  }
  assert.deepEqual(await must(member.client.from("newsletters").select()), []);
});

Deno.test("what cannot be written is refused by its place", async () => {
  const save = (more: Record<string, unknown>) =>
    ask(editor, "save", { name: "x", content, ...more });
  const bad: [Record<string, unknown>, string][] = [
    [{ name: " " }, "name"],
    [{ content: { ...content, subject: "" } }, "content.subject"],
    [
      { content: { ...content, blocks: [{ type: "html", text: "<b>" }] } },
      "content.blocks[0].type",
    ],
    [
      { content: { ...content, blocks: [{ type: "button", text: "x", link: "javascript:1" }] } },
      "content.blocks[0].link",
    ],
    [{ subjects: ["a", "b", "c", "d"] }, "subjects: three at most beside that of the content"],
    [{ subjects: [" "] }, "subjects"],
    [{ subjects: ["a"], test_share: 60 }, "test_share: 5 to 50"],
    [{ subjects: ["a"], test_hours: 0 }, "test_hours: 1 to 72"],
  ];
  for (const [more, detail] of bad) {
    const { status, error } = await save(more);
    assert.deepEqual([status, error?.message, error?.details], [422, "request.invalid", detail]);
  }
  const unknown = crypto.randomUUID();
  await assertRefused(save({ segment_id: unknown }), 404, "newsletters.segment_not_found");
  await assertRefused(save({ newsletter_id: unknown }), 404, "newsletters.not_found");
  for (const name of ["statistics", "preview", "send_test"]) {
    await assertRefused(
      ask(editor, name, { newsletter_id: unknown }),
      404,
      "newsletters.not_found",
    );
  }
});

Deno.test("templates are kept under a name of their own", async () => {
  const template = await call<Row>(editor, "save_template", { name: "Plain", content });
  const save = (more = {}) => ask(editor, "save_template", { name: "Plain", content, ...more });
  await assertRefused(save(), 409, "newsletters.name_taken");
  const changed = await must<Row>(save({ template_id: template.id }));
  assert.equal(changed.version, 2);
  await assertRefused(
    save({ template_id: crypto.randomUUID(), name: "y" }),
    404,
    "newsletters.template_not_found",
  );
  const remove = () => ask(editor, "delete_template", { template_id: template.id });
  await must(remove());
  await assertRefused(remove(), 404, "newsletters.template_not_found");
});

Deno.test("segments mean members by what they have in common, counted as they are now", async () => {
  const tenant_id = tenant.id;
  const other = await createTenant();
  const [zoe, guest] = [await createMember(tenant), await createMember(tenant, "guest")];
  await must(zoe.client.rpc("people_update_me", {
    changes: { locale: "pt-BR", time_zone: "America/Sao_Paulo" },
  }));
  const group = await must<Row>(
    zoe.client.rpc("groups_create", { tenant_id, name: "Secret", visibility: "secret" }),
  );
  await call(editor, "tag", { people: [zoe.id, guest.id], tag: "vip" });
  // Told from five on, so that it tells nothing about one person.
  const count = async (me: typeof editor, ...criteria: Record<string, unknown>[]) => {
    const told = await call<number | null>(me, "audience", { criteria });
    const meant = (await readers(criteria)).length;
    assert.equal(told, meant < 5 ? null : meant);
    return meant;
  };
  const everybody = await count(editor);
  assert.equal(everybody, 5);
  assert.equal(await count(editor, { field: "role", value: ["guest", "admin"] }), 2);
  assert.equal(await count(editor, { field: "role", value: ["guest"], not: true }), everybody - 1);
  assert.equal(await count(editor, { field: "tag", value: ["vip"] }), 2);
  const both = [{ field: "tag", value: ["vip"] }, { field: "language", value: ["pt"] }];
  assert.equal(await count(editor, ...both), 1, "all of them hold");
  assert.equal(await count(editor, { field: "time_zone", value: ["America/Sao_Paulo"] }), 1);
  assert.equal(await count(editor, { field: "joined_since", value: "2020-01-01" }), everybody);
  assert.equal(await count(editor, { field: "joined_before", value: "2020-01-01" }), 0);
  await withDatabase((sql) =>
    sql`select private.audit('GROUP_CREATED', 'groups:x', null, null, ${other.id}, ${guest.id})`
  );
  const active = await readers([{ field: "active_within", value: 1 }]);
  assert.deepEqual([active.includes(zoe.id), active.includes(guest.id)], [true, false]);
  // A count would tell who is in a circle that the asker knows nothing of.
  const circle = [{ field: "group", value: [group.id] }];
  await assertRefused(ask(editor, "audience", { criteria: circle }), 404, "groups.not_found");
  await must(zoe.client.rpc("groups_invite", {
    tenant_id,
    group_id: group.id,
    person: editor.id,
  }));
  await must(editor.client.rpc("groups_join", { tenant_id, group_id: group.id }));
  assert.equal(await count(editor, ...circle), 2);
  await call(editor, "tag", { people: [zoe.id], tag: "vip", tagged: false });
  assert.equal(await count(editor, { field: "tag", value: ["vip"] }), 1);
});

Deno.test("what is no criterion is refused, and no word of it becomes SQL", async () => {
  const bad = [
    null,
    {},
    Array.from({ length: 11 }, () => ({ field: "role", value: ["admin"] })),
    [{ field: "email", value: ["x"] }],
    [{ field: "role" }],
    [{ field: "role", value: "admin" }],
    [{ field: "role", value: [] }],
    [{ field: "role", value: [1] }],
    [{ field: "role", value: ["x"], not: "yes" }],
    [{ field: "group", value: ["x"] }],
    [{ field: "joined_since", value: "yesterday's" }],
    [{ field: "active_within", value: 0.5 }],
    [{ field: "active_within", value: "1" }],
  ];
  for (const criteria of bad) {
    await assertRefused(ask(editor, "audience", { criteria }), 422, "request.invalid");
    await assertRefused(
      ask(editor, "save_segment", { name: "x", criteria }),
      422,
      "request.invalid",
    );
  }
  const hostile = [{ field: "role", value: ["') or true --"] }];
  assert.equal(await call(editor, "audience", { criteria: hostile }), null);
  assert.deepEqual(await readers(hostile), []);
  for (const more of [{ tag: "No Tag" }, { people: [] }]) {
    await assertRefused(
      ask(editor, "tag", { people: [member.id], tag: "x", ...more }),
      422,
      "request.invalid",
    );
  }
});

Deno.test("a segment that newsletters go to stays", async () => {
  const segment = await call<Row>(editor, "save_segment", { name: "All", criteria: [] });
  const segment_id = segment.id;
  await assertRefused(
    ask(editor, "save_segment", { name: "All", criteria: [] }),
    409,
    "newsletters.name_taken",
  );
  const draft = await call<Newsletter>(editor, "save", { name: "x", content, segment_id });
  const remove = () => ask(editor, "delete_segment", { segment_id });
  await assertRefused(remove(), 409, "newsletters.segment_in_use");
  await call(editor, "save", { name: "x", content, newsletter_id: draft.id });
  await must(remove());
  await assertRefused(remove(), 404, "newsletters.segment_not_found");
  await assertRefused(
    ask(editor, "save_segment", { name: "New", criteria: [], segment_id }),
    404,
    "newsletters.segment_not_found",
  );
});

Deno.test("a look at it before anybody else gets it: on a page, and in the mail", async () => {
  const { id } = await call<Newsletter>(editor, "save", {
    name: "Look",
    content: { ...content, subject: "<Look>" },
    subjects: ["Other"],
  });
  const get = (token: string, newsletter = id) =>
    callApi(`/v1/newsletters/${newsletter}/preview`, { token });
  const shown = await (await get(await tokenOf(editor))).json();
  assert.deepEqual(shown.subjects, ["<Look>", "Other"]);
  assert.ok(shown.html.includes("&lt;Look&gt;") && shown.html.includes("Dear Member,"));
  assert.ok(shown.html.includes('href="https://nexus.test/this"'), "nothing is counted");
  assert.ok(shown.text.includes("Garden Club"));
  await assertProblem(await get(await tokenOf(member)), 403, "members.permission_denied");
  const unknown = await get(await tokenOf(editor), crypto.randomUUID());
  await assertProblem(unknown, 404, "newsletters.not_found");
  await call(editor, "send_test", { newsletter_id: id });
  const mail = await mailTo(editor.email, "newsletters.test");
  assert.equal(mail.subject, "<Look>");
  assert.ok(mail.html.includes('href="https://nexus.test/this"'));
  assert.deepEqual(await world.statistics({ id }), [], "nothing of that is counted");
});
