import assert from "node:assert/strict";
import { outgoingMail } from "../../local/outgoing.ts";
import { type HookConfig, readSettings, type Settings } from "../../local/settings.ts";

const keys = { secret: "sb_secret_of_the_test" };

const settingsWith = (hook: HookConfig): Settings => {
  const settings = readSettings(["--port-offset", "100"], {});
  settings.config.auth.hooks = { send_email: hook };
  return settings;
};

Deno.test("the hook of config.toml is called on this stack's own port, wherever that is", () => {
  const { settings } = outgoingMail(readSettings(["--port-offset", "100"], {}), keys);
  assert.equal(
    settings.config.auth.hooks.send_email?.uri,
    "http://127.0.0.1:54421/functions/v1/webhooks/auth/send-email",
  );
});

Deno.test("a hook elsewhere is left as it is", () => {
  for (
    const uri of [
      "https://hooks.example.org/mail",
      "http://127.0.0.1:8080/hook",
      "pg-functions://postgres/public/send_mail",
    ]
  ) {
    const { settings } = outgoingMail(settingsWith({ uri, secrets: "theirs" }), keys);
    assert.deepEqual(settings.config.auth.hooks.send_email, { uri, secrets: "theirs" });
  }
});

Deno.test("Auth and the function share a secret as old as the keys, not the one that everybody reads", () => {
  const uri = "http://localhost:54321/hook";
  const secretOf = (secrets: string | undefined, of = keys) => {
    const outgoing = outgoingMail(settingsWith({ uri, secrets }), of);
    const { send_email } = outgoing.settings.config.auth.hooks;
    assert.equal(send_email?.secrets, outgoing.secrets.SEND_EMAIL_HOOK_SECRET);
    return send_email?.secrets;
  };
  const made = secretOf("v1,whsec_public");
  assert.match(made!, /^v1,whsec_[\w+/]{43}=$/);
  assert.equal(secretOf(undefined), made);
  assert.notEqual(secretOf(undefined, { secret: "sb_secret_of_another" }), made);
});

Deno.test("functions know the inbox as their provider, and its key is no other secret", () => {
  const { apiKey, secrets } = outgoingMail(readSettings(["--port-offset", "100"], {}), keys);
  assert.equal(secrets.RESEND_API_URL, "http://127.0.0.1:54424");
  assert.equal(secrets.NEXUS_LOCAL_PROVIDERS, secrets.RESEND_API_URL);
  assert.equal(secrets.RESEND_API_KEY, apiKey);
  assert.ok(!Object.values(secrets).some((value) => value.includes(keys.secret)));
});
