import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";
import type { HookName } from "../../../local/settings.ts";
import { proveRecently } from "../../support/clients.ts";
import { claimsOf, newEmail, origin, password, refusal, signedIn, startAuth } from "./support.ts";

const key = Buffer.from("a secret of the hook's and Auth's");
const secrets = `v1,whsec_${key.toString("base64")}`;

interface Received {
  headers: Headers;
  payload: Record<string, Record<string, unknown>>;
}

type Answer = (received: Received, attempt: number) => Response | Promise<Response>;

/** An Auth whose hook `name` is answered by `answer`, and what the hook received. */
async function withHook(
  name: HookName,
  answer: Answer,
  work: (auth: Awaited<ReturnType<typeof startAuth>>, received: Received[]) => Promise<void>,
) {
  const received: Received[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const text = await request.text();
      const { headers } = request;
      const [id, time] = [headers.get("webhook-id"), headers.get("webhook-timestamp")];
      const signature = createHmac("sha256", key).update(`${id}.${time}.${text}`).digest("base64");
      assert.equal(headers.get("webhook-signature"), `v1,${signature}`);
      received.push({ headers, payload: JSON.parse(text) });
      return await answer(received.at(-1)!, received.length);
    },
  );
  const uri = `http://127.0.0.1:${server.addr.port}/hook`;
  try {
    await using auth = await startAuth({ hooks: { [name]: { uri, secrets } } });
    await work(auth, received);
  } finally {
    await server.shutdown();
  }
}

const json = (body: unknown, status = 200) => Response.json(body, { status });

Deno.test("custom_access_token sets the claims at every issue, refreshes included", () =>
  withHook(
    "custom_access_token",
    ({ payload }) => json({ claims: { ...payload.claims, plan: "gold" } }),
    async (auth, received) => {
      const { id, client, session } = await signedIn(auth);
      const refreshed = await client.auth.refreshSession();
      for (const token of [session.access_token, refreshed.data.session!.access_token]) {
        assert.equal(claimsOf(token).plan, "gold");
      }
      const [login, refresh] = received.map(({ payload }) => payload as Record<string, unknown>);
      assert.deepEqual(
        [login!.user_id, login!.authentication_method, refresh!.authentication_method],
        [id, "password", "token_refresh"],
      );
      const metadata = login!.metadata as Record<string, string>;
      assert.equal(metadata.name, "customize-access-token");
      assert.match(metadata.uuid!, /^[0-9a-f-]{36}$/);
      assert.match(metadata.ip_address!, /^10\./);
      assert.ok(Math.abs(Date.parse(metadata.time!) - Date.now()) < 10_000);
    },
  ));

Deno.test("custom_access_token may refuse, and leaves no session then", () =>
  withHook(
    "custom_access_token",
    () => json({ error: { http_code: 403, message: "Not today" } }),
    async (auth) => {
      const email = newEmail();
      await auth.operator().auth.admin.createUser({ email, password, email_confirm: true });
      const { error } = await auth.visitor().auth.signInWithPassword({ email, password });
      assert.deepEqual([error?.status, error?.message], [403, "Not today"]);
      const listed = await auth.request(`/admin/users?filter=${email}`, {
        headers: { apikey: auth.keys.secret },
      });
      const { users } = await listed.json();
      assert.equal(users[0].last_sign_in_at, undefined);
    },
  ));

Deno.test("claims that no token could carry are a failure", () =>
  withHook(
    "custom_access_token",
    ({ payload }) => json({ claims: { ...payload.claims, role: undefined, aal: 1 } }),
    async (auth) => {
      const email = newEmail();
      await auth.operator().auth.admin.createUser({ email, password, email_confirm: true });
      const { error } = await auth.visitor().auth.signInWithPassword({ email, password });
      assert.equal(error?.status, 500);
      assert.match(error!.message, /role is required/);
      assert.match(error!.message, /aal: Invalid type/);
    },
  ));

Deno.test("before_user_created sees the user to be and may refuse, but not an operator's", () =>
  withHook(
    "before_user_created",
    ({ payload }) =>
      String(payload.user!.email).startsWith("no")
        ? json({ error: { http_code: 403, message: "Not you" } })
        : new Response(null, { status: 204 }),
    async (auth, received) => {
      const email = newEmail();
      const { data } = await auth.visitor().auth.signUp({
        email,
        password,
        options: { data: { full_name: "Ana" } },
      });
      assert.deepEqual(received[0]!.payload.user, {
        id: data.user?.id,
        aud: "authenticated",
        role: "",
        email,
        phone: "",
        app_metadata: { provider: "email", providers: ["email"] },
        user_metadata: { full_name: "Ana" },
        identities: [],
        created_at: "0001-01-01T00:00:00Z",
        updated_at: "0001-01-01T00:00:00Z",
        is_anonymous: false,
      });
      assert.equal(received[0]!.payload.metadata!.name, "before-user-created");
      const refused = `no-${newEmail()}`;
      const { error } = await auth.visitor().auth.signUp({ email: refused, password });
      assert.deepEqual([error?.status, error?.message], [403, "Not you"]);
      assert.equal(
        (await auth.visitor().auth.signInWithOtp({ email: refused })).error?.status,
        403,
      );
      const calls = received.length;
      const created = await auth.operator().auth.admin.createUser({ email: refused, password });
      assert.equal(created.error, null);
      assert.equal(received.length, calls);
    },
  ));

Deno.test("send_email gets what a mail would carry, and no mail is sent beside it", () =>
  withHook("send_email", () => json({}), async (auth, received) => {
    const email = newEmail();
    const visitor = auth.visitor();
    const { error } = await visitor.auth.signUp({ email, password });
    assert.equal(error, null);
    assert.deepEqual(auth.mails, []);
    const { user, email_data } = received[0]!.payload;
    assert.equal(user!.email, email);
    const { token, token_hash, ...data } = email_data!;
    assert.deepEqual(data, {
      redirect_to: "http://127.0.0.1:3000",
      email_action_type: "signup",
      site_url: `${origin}/auth/v1`,
      token_new: "",
      token_hash_new: "",
      old_email: "",
      old_phone: "",
      provider: "",
      factor_type: "",
    });
    const verified = await visitor.auth.verifyOtp({
      token_hash: String(token_hash),
      type: "signup",
    });
    assert.equal(verified.error, null);
    assert.match(String(token), /^\d{6}$/);
  }));

Deno.test("send_email gets both sides of a change of address, paired as hosted pairs them", () =>
  withHook("send_email", () => json({}), async (auth, received) => {
    const [{ id, email, client }, next] = [await signedIn(auth), newEmail()];
    await proveRecently({ id });
    await client.auth.updateUser({ email: next });
    const { token, token_hash, token_new, token_hash_new } = received[0]!.payload.email_data!;
    const visitor = auth.visitor();
    const first = await visitor.auth.verifyOtp({
      email,
      token: String(token),
      type: "email_change",
    });
    assert.equal(first.error, null);
    const wrong = await visitor.auth.verifyOtp({
      token_hash: String(token_hash_new),
      type: "email_change",
    });
    assert.deepEqual(refusal(wrong), [403, "otp_expired"]);
    assert.match(String(token_new), /^\d{6}$/);
    const second = await visitor.auth.verifyOtp({
      token_hash: String(token_hash),
      type: "email_change",
    });
    assert.equal(second.data.user?.email, next);
  }));

Deno.test("a hook that is overloaded is asked three times, if it says when to come back", async () => {
  const busy = new Response(null, { status: 503, headers: { "retry-after": "1" } });
  await withHook(
    "before_user_created",
    (_, attempt) => attempt < 3 ? busy.clone() : json({}),
    async (auth, received) => {
      const { error } = await auth.visitor().auth.signUp({ email: newEmail(), password });
      assert.deepEqual([error, received.length], [null, 3]);
    },
  );
  await withHook("before_user_created", () => busy.clone(), async (auth, received) => {
    const { error } = await auth.visitor().auth.signUp({ email: newEmail(), password });
    assert.deepEqual([error?.status, received.length], [500, 3]);
  });
  const plain = () => new Response(null, { status: 503 });
  await withHook("before_user_created", plain, async (auth, received) => {
    const { error } = await auth.visitor().auth.signUp({ email: newEmail(), password });
    assert.deepEqual([error?.status, received.length], [500, 1]);
  });
});

Deno.test("an answer of a hook that is none is refused by what is wrong with it", async () => {
  const cases: [Response, number, string | undefined][] = [
    [
      new Response("ok", { headers: { "content-type": "text/plain" } }),
      400,
      "hook_payload_invalid_content_type",
    ],
    [json({ padding: "x".repeat(300_000) }), 422, "hook_payload_over_size_limit"],
    [json({}, 400), 500, undefined],
    [json({}, 418), 500, undefined],
    [new Response("{", { headers: { "content-type": "application/json" } }), 500, undefined],
  ];
  for (const [answer, status, code] of cases) {
    await withHook("before_user_created", () => answer, async (auth) => {
      const failed = await auth.visitor().auth.signUp({ email: newEmail(), password });
      assert.deepEqual(refusal(failed), [status, code]);
    });
  }
});

Deno.test("a hook has five seconds in all", async () => {
  const stop = new AbortController();
  const never = () =>
    new Promise<Response>((resolve) =>
      stop.signal.addEventListener("abort", () => resolve(json({})), { once: true })
    );
  await withHook("before_user_created", never, async (auth) => {
    const began = performance.now();
    const failed = await auth.visitor().auth.signUp({ email: newEmail(), password });
    const took = performance.now() - began;
    assert.deepEqual(refusal(failed), [422, "hook_timeout"]);
    assert.ok(took > 4_900 && took < 6_500, `took ${took} ms`);
    stop.abort();
  });
});
