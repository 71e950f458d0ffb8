import { z } from "@hono/zod-openapi";
import { text } from "shared/http/schemas.ts";
import { entry } from "./routes/accounts_schemas.ts";

const base64url = (longest: number) => z.string().max(longest).regex(/^[A-Za-z0-9_-]+$/);

export const Passkey = z.object({
  id: z.uuid(),
  name: z.string(),
  rp_id: z.string().openapi({ description: "The domain it is for", example: "app.example.org" }),
  synced: z.boolean().openapi({ description: "It may be on several devices" }),
  backed_up: z.boolean(),
  transports: z.array(z.string()),
  created_at: z.iso.datetime({ offset: true }),
  last_used_at: z.iso.datetime({ offset: true }).nullable(),
}).openapi("Passkey");

export const AddedPasskey = Passkey.extend({
  backup_codes: z.array(z.string().openapi({ example: "7K2M9-XQ4TB" })).openapi({
    description: "With a first factor: ten codes, shown this once. Else empty.",
  }),
}).openapi("AddedPasskey");

export const Where = z.strictObject({
  tenant: text(40).default("platform").openapi({
    description: "Slug of the tenant whose app asks: passkeys are for the domain of its `app_url`",
  }),
}).openapi("PasskeyTenant");

const challenge = z.string().openapi({ description: "Good for five minutes, and once" });

const Described = z.object({
  id: z.string(),
  type: z.literal("public-key"),
  transports: z.array(z.string()).optional(),
});

export const CreationOptions = z.object({
  challenge,
  rp: z.object({ id: z.string(), name: z.string() }),
  user: z.object({ id: z.string(), name: z.string(), displayName: z.string() }),
  pubKeyCredParams: z.array(z.object({ alg: z.int(), type: z.literal("public-key") })),
  timeout: z.int(),
  excludeCredentials: z.array(Described),
  authenticatorSelection: z.object({
    residentKey: z.string(),
    requireResidentKey: z.boolean(),
    userVerification: z.string(),
  }),
  attestation: z.string(),
  extensions: z.object({ credProps: z.boolean() }),
}).openapi("PasskeyCreationOptions", {
  description: "For `PublicKeyCredential.parseCreationOptionsFromJSON()`",
});

export const RequestOptions = z.object({
  challenge,
  rpId: z.string(),
  allowCredentials: z.array(Described).optional(),
  userVerification: z.string(),
  timeout: z.int(),
}).openapi("PasskeyRequestOptions", {
  description: "For `PublicKeyCredential.parseRequestOptionsFromJSON()`",
});

const credential = <T extends z.ZodType>(response: T) =>
  z.object({
    id: base64url(1364),
    rawId: base64url(1364),
    type: z.literal("public-key"),
    authenticatorAttachment: z.string().max(32).nullish(),
    clientExtensionResults: z.looseObject({}).default({}),
    response,
  });

const Attestation = credential(z.object({
  clientDataJSON: base64url(8192),
  attestationObject: base64url(65_536),
  transports: z.array(z.string().max(32)).max(10).optional(),
})).openapi("PasskeyAttestation", { description: "`toJSON()` of what the browser made" });

const Assertion = credential(z.object({
  clientDataJSON: base64url(8192),
  authenticatorData: base64url(8192),
  signature: base64url(4096),
  userHandle: base64url(128).nullish(),
})).openapi("PasskeyAssertion", { description: "`toJSON()` of what the browser answered" });

export const NewPasskey = z.strictObject({
  name: text(60).default("Passkey"),
  credential: Attestation,
})
  .openapi("NewPasskey");
export const Answer = z.strictObject({ credential: Assertion }).openapi("PasskeyAnswer");
export const LoginAnswer = z.strictObject({ credential: Assertion, tenant: entry })
  .openapi("PasskeyLogin");
export const Changes = z.strictObject({ name: text(60) }).openapi("PasskeyChanges");
