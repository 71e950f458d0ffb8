import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import type { Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createMember } from "../support/tenants.ts";
import { upload, uploaded } from "../files/support.ts";
import { callApi, tokenOf } from "../support/api.ts";
import {
  catchUp,
  createGroup,
  createPair,
  createTalkingTenant,
  type Message,
  page,
  type Pair,
  send,
  unread,
} from "./support.ts";

const edit = (
  { client }: Person,
  { tenant }: Pick<Pair, "tenant">,
  message_id: string,
  body: string,
) => client.rpc("messaging_edit", { tenant_id: tenant.id, message_id, body });

const remove = (
  { client }: Person,
  { tenant }: Pick<Pair, "tenant">,
  message_id: string,
  for_all?: boolean,
) =>
  client.rpc("messaging_delete", {
    tenant_id: tenant.id,
    message_id,
    ...(for_all !== undefined && { for_all }),
  });

const history = ({ client }: Person, id: string) =>
  must<{ version: number; body: string }[]>(
    client.from("messaging_edits").select("version, body").eq("message_id", id).order("version"),
  );

Deno.test("an edited message says what it says now, and who sees it sees what it said", async () => {
  const pair = await createPair();
  const { tenant, ana, ben, conversation } = pair;
  const carl = await createMember(tenant);
  const { id } = await send(ana, tenant, conversation, { body: "one" });
  await must(edit(ana, pair, id, "two"));
  const edited = await must<Message>(edit(ana, pair, id, "three"));
  assertEquals([edited.body, edited.version, edited.edited_at !== null], ["three", 3, true]);
  assertEquals(await page(ben, tenant, conversation), [edited]);
  const before = [{ version: 1, body: "one" }, { version: 2, body: "two" }];
  assertEquals([await history(ben, id), await history(carl, id)], [before, []]);
  // Nothing new to read.
  assertEquals((await unread(ben, tenant)).unread, 1);
});

Deno.test("only the sender edits, in time, what is still there", async () => {
  const pair = await createPair({ edit_minutes: 5 });
  const { tenant, ana, ben, conversation } = pair;
  const carl = await createMember(tenant);
  const [first, second] = [
    await send(ana, tenant, conversation),
    await send(ana, tenant, conversation),
  ];
  await assertRefused(edit(ben, pair, first.id, "x"), 403, "messaging.not_the_sender");
  await assertRefused(edit(carl, pair, first.id, "x"), 404, "messaging.message_not_found");
  await assertRefused(
    edit(ana, pair, crypto.randomUUID(), "x"),
    404,
    "messaging.message_not_found",
  );
  await assertRefused(edit(ana, pair, first.id, " "), 422, "request.invalid");
  await assertRefused(edit(ana, pair, first.id, "x".repeat(4001)), 422, "messaging.too_long");
  await must(remove(ana, pair, first.id, true));
  await assertRefused(edit(ana, pair, first.id, "x"), 409, "messaging.deleted");
  await withDatabase((sql) =>
    sql`update messaging_messages set created_at = now() - interval '6 minutes' where id = ${second.id}`
  );
  await assertRefused(edit(ana, pair, second.id, "x"), 409, "messaging.edit_window_over");
});

Deno.test("deleted for all, a message keeps its place and loses what it said", async () => {
  const pair = await createPair();
  const { tenant, ana, ben, conversation } = pair;
  const { id } = await send(ana, tenant, conversation, { body: "secret", mentions: [ben.id] });
  await must(edit(ana, pair, id, "secret too"));
  await assertRefused(remove(ben, pair, id, true), 403, "messaging.not_the_sender");
  const gone = await must<Message>(remove(ana, pair, id, true));
  assertEquals([gone.seq, gone.body, gone.mentions, gone.deleted_at !== null], [1, null, [], true]);
  assertEquals(await page(ben, tenant, conversation), [gone]);
  assertEquals(await history(ana, id), []);
  await withDatabase(async (sql) => {
    const left = await sql`select from messaging_edits where message_id = ${id}`;
    assertEquals(left.length, 0);
  });
  // Again is as good as once.
  assertEquals(await must<Message>(remove(ana, pair, id, true)), gone);
});

Deno.test("deleted for me, it is there for everybody else", async () => {
  const pair = await createPair();
  const { tenant, ana, ben, conversation } = pair;
  const { id } = await send(ana, tenant, conversation);
  await must(remove(ben, pair, id));
  assertEquals((await unread(ben, tenant)).unread, 0, "what nobody can read is not unread");
  assertEquals(await page(ben, tenant, conversation), []);
  assertEquals((await page(ana, tenant, conversation)).length, 1);
  await assertRefused(remove(ben, pair, id), 404, "messaging.message_not_found");
  assertEquals(
    (await catchUp(ben, tenant)).map((
      { event, message_id, message },
    ) => [event, message_id, message]),
    [["message:deleted", id, null]],
  );
});

Deno.test("in a group, who manages it deletes for all", async () => {
  const tenant = await createTalkingTenant();
  const [ana, ben, carl] = await Promise.all(
    Array.from({ length: 3 }, () => createMember(tenant)),
  ) as [Person, Person, Person];
  const group = await createGroup(tenant, ana, ben, carl);
  const { id } = await send(ben, tenant, group);
  await assertRefused(remove(carl, { tenant }, id, true), 403, "messaging.not_the_sender");
  assertEquals((await must<Message>(remove(ana, { tenant }, id, true))).body, null);
  const [created] = await page(ana, tenant, group, { after: 0 });
  await assertRefused(remove(ana, { tenant }, created!.id, true), 403, "messaging.not_the_sender");
});

Deno.test("a file is seen by who sees a message with it, and goes with the last one", async () => {
  const pair = await createPair();
  const { tenant, ana, ben, conversation } = pair;
  const carl = await createMember(tenant, "admin");
  const voice = new TextEncoder().encode("OggS and the rest of a voice message");
  const file = await uploaded(ana, tenant, {
    bytes: voice,
    name: "voice.ogg",
    type: "audio/ogg",
    bucket: "attachments",
  });
  assertEquals([file.bucket, file.content_type], ["attachments", "audio/ogg"]);
  const sees = async (person: Person) =>
    (await must<unknown[]>(person.client.from("files").select().eq("id", file.id))).length;
  const link = async (person: Person) => {
    const response = await callApi(`/v1/uploads/${file.id}/link`, {
      token: await tokenOf(person),
      headers: { "nexus-tenant": tenant.slug },
    });
    const body = await response.json();
    if (response.status !== 200) return response.status;
    return await (await fetch(body.url)).text();
  };
  assertEquals([await sees(ben), await link(ben)], [0, 404]);
  const { id } = await send(ana, tenant, conversation, { body: null, files: [file.id] });
  assertEquals([await sees(ana), await sees(ben), await sees(carl)], [1, 1, 0]);
  assertEquals([await link(ben), await link(carl)], [new TextDecoder().decode(voice), 404]);
  const refuse = (options: Record<string, unknown>, me = ben) =>
    assertRefused(
      me.client.rpc("messaging_send", {
        tenant_id: tenant.id,
        conversation_id: conversation,
        client_id: crypto.randomUUID(),
        body: "x",
        ...options,
      }),
      404,
      "files.not_found",
    );
  await refuse({ files: [file.id] });
  await refuse({ files: [file.id, file.id] }, ana);
  await must(remove(ana, pair, id, true));
  assertEquals([await sees(ana), await sees(ben)], [0, 0]);
  const refused = await upload(ana, tenant, { bytes: voice, bucket: "documents" });
  assertEquals([refused.status, (await refused.json()).code], [415, "files.type_unsupported"]);
});

Deno.test("muting and archiving are one's own", async () => {
  const { tenant, ana, ben, conversation } = await createPair();
  const until = new Date(Date.now() + 3600_000).toISOString();
  const state = await must<{ muted_until: string }>(
    ana.client.rpc("messaging_mute", {
      tenant_id: tenant.id,
      conversation_id: conversation,
      until,
    }),
  );
  assertEquals(Date.parse(state.muted_until), Date.parse(until));
  const states = ({ client }: Person) =>
    must<{ person_id: string; muted_until: string | null }[]>(
      client.from("messaging_states").select("person_id, muted_until"),
    );
  assertEquals((await states(ana)).map(({ person_id }) => person_id), [ana.id]);
  assertEquals(await states(ben), [{ person_id: ben.id, muted_until: null }]);
});
