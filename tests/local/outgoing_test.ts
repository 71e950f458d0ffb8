import assert from "node:assert/strict";
import { outgoingMail } from "../../local/outgoing.ts";
import { readSettings, type Settings } from "../../local/settings.ts";

const keys = { secret: "sb_secret_of_the_test" };

const settingsWith = (hook: { uri: string; secrets?: string }): Settings => {
  const settings = readSettings(["--port-offset", "100"], {});
  settings.config.auth.hooks = { send_email: { secrets: undefined, ...hook } };
  return settings;
};

Deno.test("the hook of config.toml is called on this stack's own port, wherever that is", () => {
  const { settings } = outgoingMail(readSettings(["--port-offset", "100"], {}), keys);
  assert.equal(
    settings.config.auth.hooks.send_email?.uri,
    "http://127.0.0.1:54421/functions/v1/webhooks/auth/send-email",
  );
});

Deno.test("a hook elsewhere is left where it is", () => {
  for (
    const uri of [
      "https://hooks.example.org/mail",
      "http://127.0.0.1:8080/hook",
      "pg-functions://postgres/public/send_mail",
    ]
  ) {
    const { settings } = outgoingMail(settingsWith({ uri }), keys);
    assert.equal(settings.config.auth.hooks.send_email?.uri, uri);
  }
});

Deno.test("Auth and the function share a secret: the one given, or one as old as the keys", () => {
  const uri = "http://localhost:54321/hook";
  const secretsOf = (hook: { uri: string; secrets?: string }, of = keys) => {
    const { settings, secrets } = outgoingMail(settingsWith(hook), of);
    assert.equal(settings.config.auth.hooks.send_email?.secrets, secrets.SEND_EMAIL_HOOK_SECRET);
    return secrets.SEND_EMAIL_HOOK_SECRET;
  };
  assert.equal(secretsOf({ uri, secrets: "v1,whsec_given" }), "v1,whsec_given");
  const made = secretsOf({ uri, secrets: "" });
  assert.match(made!, /^v1,whsec_[\w+/]{43}=$/);
  assert.equal(secretsOf({ uri }), made);
  assert.notEqual(secretsOf({ uri }, { secret: "sb_secret_of_another" }), made);
});

Deno.test("functions know the inbox as their provider, and its key is no other secret", () => {
  const { apiKey, secrets } = outgoingMail(readSettings(["--port-offset", "100"], {}), keys);
  assert.equal(secrets.RESEND_API_URL, "http://127.0.0.1:54424");
  assert.equal(secrets.NEXUS_LOCAL_PROVIDERS, secrets.RESEND_API_URL);
  assert.equal(secrets.RESEND_API_KEY, apiKey);
  assert.ok(!Object.values(secrets).some((value) => value.includes(keys.secret)));
});
