import assert from "node:assert/strict";
import webpush from "web-push";
import { fromFileUrl } from "../../local/paths.ts";
import { startQueueStack } from "../jobs/queue_stack.ts";
import { createServiceAccount, Google } from "../support/google.ts";
import { PushService, Receiver } from "../support/push_service.ts";
import { deadEnvironment } from "../support/services.ts";

const people = Number(Deno.env.get("STORM_PEOPLE") ?? 1_000);
const each = 10;
const notifications = people * each;
const browsers = people / 10;

/** Every fifth call fails: before the provider did anything, or after, when only its answer is lost. */
const failing = 0.2;

class Resend {
  /** What was taken, by the key that makes a repetition harmless. */
  readonly taken = new Map<string, { id: string; to: string }>();
  repeated = 0;

  async handle(request: Request): Promise<Response> {
    const key = request.headers.get("idempotency-key")!;
    const { to } = await request.json() as { to: string[] };
    const known = this.taken.get(key);
    if (known) this.repeated++;
    const mail = known ?? { id: crypto.randomUUID(), to: to[0]! };
    this.taken.set(key, mail);
    return Response.json({ id: mail.id });
  }
}

/** The providers behind one port, by the host that was meant, failing as they like. */
function startProviders(world: { resend: Resend; push: PushService; google: Google }) {
  const answer = (host: string, request: Request) => {
    if (host.startsWith("api.resend")) return world.resend.handle(request);
    return host.startsWith("push.") ? world.push.handle(request) : world.google.handle(request);
  };
  let failed = 0;
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const [, host = "", ...path] = new URL(request.url).pathname.split("/");
      const meant = new Request(`https://${host}/${path.join("/")}`, request);
      if (host.startsWith("oauth2.") || Math.random() >= failing) return await answer(host, meant);
      failed++;
      // The mail was taken, and nobody hears of it.
      if (Math.random() < 0.5) await answer(host, meant);
      return new Response(null, { status: 503 });
    },
  );
  return { server, failed: () => failed };
}

Deno.test({
  name: `${notifications} notifications on three channels: none lost, none doubled, with workers ` +
    "killed at random and every fifth call of a provider failing",
  fn: async () => {
    await using stack = await startQueueStack();
    const { sql } = stack;
    const vapid = webpush.generateVAPIDKeys();
    const tokenUrl = "https://oauth2.nexus.test/token";
    const { file, publicKey } = await createServiceAccount(tokenUrl);
    const push = new PushService("https://push.nexus.test", vapid.publicKey);
    const world = { resend: new Resend(), push, google: new Google(publicKey, tokenUrl) };
    const providers = startProviders(world);
    const receiver = await Receiver.create();

    await sql`
      insert into auth.users (id, email, instance_id, aud, role, created_at, updated_at)
      select private.uuid_v7(), n || '@nexus.test', '00000000-0000-0000-0000-000000000000',
        'authenticated', 'authenticated', now(), now()
      from generate_series(1, ${people}) n`;
    await sql`
      insert into private.push_targets (person_id, kind, address, address_digest, p256dh, auth)
      select t.id, t.kind, t.address, private.push_digest(t.address),
        case when t.kind = 'web' then ${receiver.p256dh} end,
        case when t.kind = 'web' then ${receiver.auth} end
      from (
        select u.id, case when n <= ${browsers} then 'web' else 'fcm' end as kind,
          case when n <= ${browsers} then 'https://push.nexus.test/push/' || u.id
            else 'token-of-' || u.id end as address
        from (select id, row_number() over (order by id) as n from auth.users) u
      ) t`;

    const [, port] = /:(\d+)/.exec(`:${providers.server.addr.port}`)!;
    const spawn = () =>
      new Deno.Command(Deno.execPath(), {
        args: [
          ...["run", "-A", "--quiet", "--no-check"],
          fromFileUrl(new URL("storm_worker.ts", import.meta.url)),
        ],
        env: {
          ...deadEnvironment,
          STORM_DATABASE_URL: stack.url,
          STORM_PROVIDERS: `http://127.0.0.1:${port}/`,
          RESEND_API_KEY: "re_of_the_test",
          EMAIL_FROM: "Nexus <mail@nexus.test>",
          VAPID_PUBLIC_KEY: vapid.publicKey,
          VAPID_PRIVATE_KEY: vapid.privateKey,
          VAPID_SUBJECT: "mailto:ops@nexus.test",
          FCM_SERVICE_ACCOUNT: file,
        },
        stdout: "null",
        stderr: "null",
      }).spawn();

    const look = async () => {
      const [row] = await sql<{ all: number; sent: number; jobs: number }[]>`
        select count(*)::int as all, count(*) filter (where status = 'sent')::int as sent,
          (select count(*)::int from private.jobs) as jobs
        from private.notifications_deliveries where channel <> 'inbox'`;
      return row!;
    };
    let kills = 0;
    let workers = [spawn(), spawn()];
    const kill = async () => {
      for (const worker of workers) worker.kill("SIGKILL");
      await Promise.all(workers.map(({ status }) => status));
      kills += workers.length;
      // As when their leases have run out.
      await sql`update private.jobs_workers set expires_at = clock_timestamp()`;
      await sql`select setval('private.jobs_next_sweep', 1)`;
    };
    // After a part of the work that nobody knows beforehand, in the middle of whatever they do.
    const someOf = () => Math.ceil(notifications * Math.random() / 2);
    try {
      const telling = Promise.all(Array.from({ length: 2 }, (_, half) =>
        sql`
          select private.notify(u.id, 'two_factor.enabled', jsonb_build_object('n', n))
          from auth.users u, generate_series(1, ${each}) n
          where n % 2 = ${half}`));
      let killAt = someOf();
      for (let now = await look(); now.sent < notifications * 2; now = await look()) {
        if (now.sent >= killAt && kills < 8) {
          await kill();
          workers = [spawn(), spawn()];
          killAt = now.sent + someOf();
        }
        if (now.jobs === 0 && now.all === notifications * 2) {
          // What died with its workers or at the providers waits for the clock, which is hurried here.
          await sql`update private.notifications_deliveries set retry_at = now() where status = 'waiting'`;
          await sql`select private.notifications_retry()`;
        }
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      await telling;
    } finally {
      await kill();
      await providers.server.shutdown();
    }

    const [{ sent }] = await sql`
      select count(*)::int as sent from private.notifications_deliveries
      where status = 'sent'` as unknown as [{ sent: number }];
    assert.equal(sent, notifications * 3, "evidence for each on each channel");
    const [{ rows, unread }] = await sql`
      select (select count(*)::int from public.notifications) as rows,
        (select sum(unread)::int from public.notifications_counters) as unread` as unknown as [
      { rows: number; unread: number },
    ];
    assert.deepEqual([rows, unread], [notifications, notifications], "the inbox");
    assert.equal(world.resend.taken.size, notifications, "mails");
    const ofPush = [...push.waiting.values()].flatMap((messages) => [...messages.values()]);
    const ofApps = [...world.google.pushed.values()].flatMap((messages) => [...messages.values()]);
    assert.deepEqual(
      [ofPush.length, ofApps.length],
      [browsers * each, (people - browsers) * each],
      "a device shows each notice once",
    );
    for (const { body } of ofPush) {
      assert.equal(JSON.parse(await receiver.decrypt(body)).web_push, 8030);
    }
    assert.ok(kills >= 2, `${kills} kills`);
    assert.ok(providers.failed() > notifications / 10, `${providers.failed()} failures`);
    assert.ok(world.resend.repeated > 0, "some mail was sent again, and taken once");
  },
});
