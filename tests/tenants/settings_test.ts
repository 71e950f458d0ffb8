import { assertRefused, must } from "../support/answers.ts";
import { createMember, createTenant } from "../support/tenants.ts";

Deno.test("what every member reads takes no secrets", async (t) => {
  const tenant = await createTenant();
  const { client } = await createMember(tenant, "owner");
  const set = (settings: unknown) =>
    client.from("tenants").update({ settings }).eq("id", tenant.id).select("id");
  for (
    const bad of [
      { api_key: "x" },
      { mail: { smtp: { password: "x" } } },
      { hooks: [{ url: "https://x.test", signing_secret: "x" }] },
      { AccessToken: 1, access_token: "x" },
    ]
  ) {
    await t.step(
      `refused: ${JSON.stringify(bad)}`,
      () => assertRefused(set(bad), 422, "request.invalid"),
    );
  }
  await t.step(
    "what only sounds alike is taken",
    () => must(set({ max_tokens: 100, password_hint_shown: true, theme: { secretive: 1 } })),
  );
});
