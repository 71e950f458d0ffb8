import assert from "node:assert/strict";
import type postgres from "postgres";
import { drain, standardLimits } from "../../functions/worker/drain.ts";
import { handlers } from "../../functions/worker/handlers.ts";
import type { PushMessage } from "shared/push/message.ts";
import { type QueueStack, startQueueStack } from "../jobs/queue_stack.ts";
import { deliveriesOf, notify } from "../notifications/support.ts";
import { Receiver } from "../support/push_service.ts";
import { createPushWorld } from "./support.ts";

type Sql = postgres.Sql;

const limits = { ...standardLimits, linger: 50, lookEvery: 10 };
const kinds = { "notifications.push": handlers["notifications.push"]! };

/** A person in a database without Auth. */
async function createPerson(sql: Sql): Promise<{ id: string }> {
  const id = crypto.randomUUID();
  await sql`
    insert into auth.users (id, email, instance_id, aud, role, created_at, updated_at)
    values (
      ${id}, ${`${id}@nexus.test`}, '00000000-0000-0000-0000-000000000000', 'authenticated',
      'authenticated', now(), now()
    )`;
  return { id };
}

const addTarget = (
  sql: Sql,
  { id }: { id: string },
  kind: "web" | "fcm",
  address: string,
  receiver?: Receiver,
) =>
  sql`
    insert into private.push_targets (person_id, kind, address, address_digest, p256dh, auth)
    values (
      ${id}, ${kind}, ${address}, private.push_digest(${address}), ${receiver?.p256dh ?? null},
      ${receiver?.auth ?? null}
    )`;

const targetsOf = async (sql: Sql, { id }: { id: string }) =>
  (await sql`select address from private.push_targets where person_id = ${id}`)
    .map(({ address }) => address as string);

type World = Awaited<ReturnType<typeof createPushWorld>>;

const work = ({ services }: World, stack: QueueStack) =>
  drain(
    { ...services, database: stack.services().database },
    kinds,
    new AbortController().signal,
    limits,
  );

interface Declarative {
  web_push: number;
  notification: PushMessage & { navigate: string; app_badge: string; lang: string; dir: string };
}

Deno.test("push", async (t) => {
  await using stack = await startQueueStack();
  const { sql } = stack;

  await t.step("a browser gets what it alone can read, signed as ours, once", async () => {
    const world = await createPushWorld();
    const person = await createPerson(sql);
    const receiver = await Receiver.create();
    await addTarget(sql, person, "web", world.service.endpoint("a"), receiver);
    const event = await notify(sql, person, { payload: { link: "https://app.nexus.test/x" } });
    await work(world, stack);
    const [pushed, ...others] = [...world.service.waiting.get("a")!.values()];
    assert.equal(others.length, 0);
    assert.equal(pushed!.urgency, "high", "it is about the account's safety");
    const { web_push, notification } = JSON.parse(
      await receiver.decrypt(pushed!.body),
    ) as Declarative;
    assert.equal(web_push, 8030, "Safari shows it without a service worker");
    assert.equal(notification.title, "Your password was changed");
    assert.equal(notification.navigate, "https://app.nexus.test/x");
    assert.deepEqual([notification.lang, notification.dir], ["en", "ltr"]);
    assert.equal(notification.app_badge, "1");
    assert.equal(notification.tag, event.replaceAll("-", ""));
    assert.equal((await deliveriesOf(sql, event)).push!.status, "sent");
    const stranger = await Receiver.create();
    await assert.rejects(stranger.decrypt(pushed!.body), "no other browser opens it");
  });

  await t.step("an app gets it by its token; Google's token is asked for once", async () => {
    const world = await createPushWorld();
    const people = await Promise.all([1, 2, 3].map(() => createPerson(sql)));
    for (const [index, person] of people.entries()) {
      await addTarget(sql, person, "fcm", `app-token-of-person-${index}`);
      await notify(sql, person);
    }
    await work(world, stack);
    assert.equal(world.google.tokensGiven, 1);
    for (const index of people.keys()) {
      const [message, ...others] = [
        ...world.google.pushed.get(`app-token-of-person-${index}`)!.values(),
      ];
      assert.equal(others.length, 0);
      assert.equal(message!.notification.title, "Your password was changed");
      assert.equal(message!.data.kind, "auth.password_changed");
    }
  });

  await t.step("a token of Google's that is refused is renewed, and the message sent", async () => {
    const world = await createPushWorld();
    const person = await createPerson(sql);
    await addTarget(sql, person, "fcm", "app-token-of-later");
    await notify(sql, person);
    await work(world, stack);
    world.google.accepted.clear();
    const again = await notify(sql, person);
    await work(world, stack);
    assert.equal(world.google.tokensGiven, 2);
    assert.equal((await deliveriesOf(sql, again)).push!.status, "sent");
  });

  await t.step(
    "devices that are gone are forgotten: 404, 410, unregistered and bad tokens, inner addresses",
    async () => {
      const world = await createPushWorld();
      const person = await createPerson(sql);
      const receiver = await Receiver.create();
      const here = world.service.endpoint("here");
      world.service.gone.add("left");
      await addTarget(sql, person, "web", here, receiver);
      await addTarget(sql, person, "web", world.service.endpoint("left"), receiver);
      await addTarget(sql, person, "web", "https://127.0.0.1/push/inner", receiver);
      await addTarget(sql, person, "fcm", "unregistered-app-token");
      await addTarget(sql, person, "fcm", "bad-token-of-nothing");
      world.google.unregistered.add("unregistered-app-token");
      const event = await notify(sql, person);
      await work(world, stack);
      assert.deepEqual(await targetsOf(sql, person), [here]);
      assert.equal((await deliveriesOf(sql, event)).push!.status, "sent");
      world.service.gone.add("here");
      const last = await notify(sql, person);
      await work(world, stack);
      const { status, reason } = (await deliveriesOf(sql, last)).push!;
      assert.deepEqual([status, reason], ["skipped", "no_device"]);
      assert.equal((await deliveriesOf(sql, await notify(sql, person))).push, undefined);
    },
  );

  await t.step(
    "a service that is away gets it later; who was told already is not told again",
    async () => {
      let away = true;
      const world = await createPushWorld();
      const person = await createPerson(sql);
      await addTarget(sql, person, "web", world.service.endpoint("b"), await Receiver.create());
      await addTarget(sql, person, "fcm", "app-token-beside-it");
      const google = world.google.handle.bind(world.google);
      world.google.handle = async (request) =>
        away && !request.url.endsWith("/token")
          ? new Response(null, { status: 503 })
          : await google(request);
      const event = await notify(sql, person);
      const first = work(world, stack);
      while (world.service.requests === 0) await new Promise((resolve) => setTimeout(resolve, 10));
      away = false;
      await first;
      assert.equal(world.service.requests, 1, "the browser is not told twice");
      assert.equal(world.google.pushed.get("app-token-beside-it")!.size, 1);
      assert.equal((await deliveriesOf(sql, event)).push!.status, "sent");
    },
  );

  await t.step("without keys nobody is pushed to, and the evidence says why", async () => {
    const world = await createPushWorld();
    const person = await createPerson(sql);
    await addTarget(sql, person, "fcm", "app-token-of-nobody");
    const event = await notify(sql, person);
    const config = { ...world.services.config, push: { vapid: undefined, fcm: undefined } };
    await work({ ...world, services: { ...world.services, config } }, stack);
    const { status, reason } = (await deliveriesOf(sql, event)).push!;
    assert.deepEqual([status, reason], ["skipped", "not_configured"]);
    assert.deepEqual(await targetsOf(sql, person), ["app-token-of-nobody"], "it is still there");
  });

  await t.step("who was erased is pushed to no more", async () => {
    const person = await createPerson(sql);
    await addTarget(sql, person, "fcm", "app-token-of-the-past");
    await sql`delete from auth.users where id = ${person.id}`;
    assert.deepEqual(await targetsOf(sql, person), []);
  });
});
