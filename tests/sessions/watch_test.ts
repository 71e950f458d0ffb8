import assert from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { tokenOf } from "../support/api.ts";
import { anonymous, createPerson } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { mailTo } from "../support/mail.ts";
import { openSession, sessionIdOf, signInFrom } from "./support.ts";

const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const newer = firefox.replaceAll("140.0", "141.0");
const phone = "Nexus/1.4 (iPhone; iOS 18.6)";

/** What the clock does each minute, without waiting for sessions to be a little older. */
const watch = () =>
  withDatabase((sql) =>
    sql`select private.sessions_greet(interval '0'), private.sessions_end_replayed(),
      private.sessions_end_expired()`
  );

const told = (person: { id: string }) =>
  withDatabase(async (sql) => [
    ...await sql<{ kind: string }[]>`
      select kind from private.notifications_events
      where person_id = ${person.id} and kind like 'sessions.%' order by id`,
  ]);

Deno.test("a login from a device not used before is told, past all functions of ours", async () => {
  const person = await createPerson();
  await watch();
  assert.deepEqual(await told(person), [], "the first device of all is the one they joined with");
  await signInFrom(person.email, firefox);
  await watch();
  assert.deepEqual(await told(person), [{ kind: "sessions.new_device" }]);
  const { text } = await mailTo(person.email, "sessions.new_device");
  assert.match(text, /Firefox, Linux/);
  assert.match(text, /\d{4}-\d\d-\d\d \d\d:\d\d UTC/);
  // Known by now, in whatever version.
  await signInFrom(person.email, newer);
  await watch();
  assert.equal((await told(person)).length, 1);
  await signInFrom(person.email, phone);
  await Promise.all([watch(), watch()]);
  assert.equal((await told(person)).length, 2);
});

Deno.test("a session with bounds is no new device: it was told of when it was asked for", async () => {
  const person = await createPerson();
  await watch();
  await signInFrom(person.email, firefox);
  await watch();
  await openSession(person, { bounds: { permissions: [] } });
  await watch();
  assert.equal((await told(person)).length, 1);
  // One that stands for the whole person is.
  await openSession(person, { purpose: "passkey" });
  await watch();
  const devices = await withDatabase((sql) =>
    sql`select device from private.sessions_devices where person_id = ${person.id}`
  );
  assert.equal(devices.length, (await told(person)).length + 1);
});

Deno.test("A1: a refresh token used again ends the session for everybody, and its owner is told", async () => {
  const person = await createPerson();
  const client = await signInFrom(person.email, firefox);
  const rotate = async (refresh_token: string) => {
    const { data, error } = await anonymous().auth.refreshSession({ refresh_token });
    if (error) throw error;
    return data.session!.refresh_token;
  };
  const { data } = await client.auth.getSession();
  const { refresh_token: first, access_token } = data.session!;
  const third = await rotate(await rotate(first));
  // Longer ago than Auth forgives.
  await withDatabase((sql) =>
    sql`update auth.refresh_tokens set updated_at = now() - interval '1 minute'
      where session_id = ${sessionIdOf(access_token)}`
  );
  await must(client.rpc("people_session"));
  await assert.rejects(rotate(first), { code: "refresh_token_already_used" });
  // Before the clock comes by: for whoever replayed it and for whoever did not.
  await assertRefused(client.rpc("people_session"), 401, "auth.session_ended");
  await assert.rejects(rotate(third), { code: "refresh_token_already_used" });

  await watch();
  const left = await withDatabase((sql) =>
    sql`select from auth.sessions where id = ${sessionIdOf(access_token)}`
  );
  assert.equal(left.length, 0);
  const { text } = await mailTo(person.email, "sessions.replayed");
  assert.match(text, /once more: \S+/);
  const [line] = await withDatabase((sql) =>
    sql`select actor from private.audit_log where action = 'SESSION_REPLAYED'
      and resource = ${`sessions:${sessionIdOf(access_token)}`}`
  );
  assert.equal(line!.actor, person.id);
  await watch();
  assert.equal((await told(person)).filter(({ kind }) => kind === "sessions.replayed").length, 1);
});

Deno.test("A2: twenty refreshes at once are no replay: the session stays, with one live token", async () => {
  const person = await createPerson();
  const { data } = await person.client.auth.getSession();
  const { refresh_token, access_token } = data.session!;
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => anonymous().auth.refreshSession({ refresh_token })),
  );
  assert.deepEqual(new Set(answers.map(({ error }) => error)), new Set([null]));
  await watch();
  await must(person.client.rpc("people_session"));
  const live = await withDatabase((sql) =>
    sql`select from auth.refresh_tokens where session_id = ${
      sessionIdOf(access_token)
    } and not revoked`
  );
  assert.equal(live.length, 1);
});

Deno.test("a session past its time is removed, refresh tokens and all", async () => {
  const person = await createPerson();
  const expires_at = new Date(Date.now() - 1000).toISOString();
  const { id } = await openSession(person, { bounds: { expires_at } });
  await watch();
  const left = await withDatabase((sql) => sql`select from auth.sessions where id = ${id}`);
  assert.equal(left.length, 0);
});

Deno.test("a login does not wait for another session of the person that is ending, nor fail by it", async () => {
  const person = await createPerson();
  const ending = sessionIdOf(await tokenOf(person));
  await withDatabase((sql) =>
    sql.begin(async (tx) => {
      await tx`delete from auth.sessions where id = ${ending}`;
      await signInFrom(person.email, firefox);
    })
  );
});
