import { createRoute, z } from "@hono/zod-openapi";
import { emailAddress } from "shared/auth/email_address.ts";
import { databaseErrors, problems } from "shared/errors/openapi.ts";
import { router } from "shared/http/router.ts";
import { text } from "shared/http/schemas.ts";
import { noSooner } from "shared/http/steady.ts";
import { accountDoors, Accounts } from "../accounts.ts";
import { body, bodyErrors, mailed, newPassword } from "./accounts_schemas.ts";

/**
 * Milliseconds within which everything that depends on the address is done: the answer comes then,
 * known or not. Registering hashes a password, which takes its time under load.
 */
const registering = 750;
const mailing = 150;

const Registration = z.strictObject({
  email: emailAddress(),
  password: newPassword,
  display_name: text(80),
  locale: z.string().regex(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/).max(35).optional()
    .openapi({ description: "Language of the mails until the profile says another" }),
  tenant: z.string().max(40).optional().openapi({ description: "Slug of the tenant to join" }),
  invitation: z.string().max(200).optional(),
}).openapi("Registration");

const Address = z.strictObject({ email: emailAddress() }).openapi("AddressOnly");
const Proof = mailed({}).openapi("VerificationProof");
const Reset = mailed({ password: newPassword }).openapi("PasswordReset");

const common = { method: "post" as const, tags: ["accounts"], security: [] };

const accepted = { description: "Accepted, whether the address is known or not" };

const register = createRoute({
  ...common,
  path: "/register",
  operationId: "register",
  summary: "Make an account, and ask to join a tenant",
  description:
    "A mail proves the address, and then the tenant's policy decides. Answers alike for " +
    "an address that has an account: its owner is told by mail. Five an hour from one address " +
    "of the network.",
  request: body(Registration),
  responses: {
    202: accepted,
    ...problems(
      "accounts.password_weak",
      "invitations.ended",
      "invitations.not_found",
      "invitations.other_address",
      "members.registration_closed",
      "tenants.not_found",
      ...bodyErrors,
      ...databaseErrors,
    ),
  },
});

const verify = createRoute({
  ...common,
  path: "/verify-email",
  operationId: "verifyEmail",
  summary: "Prove an address by the token of the mail, or by its code",
  description:
    "The token lives a day, the code ten minutes; each works once. Five tries at a code.",
  request: body(Proof),
  responses: {
    204: { description: "The address is proved; now one can sign in" },
    ...problems("accounts.token_refused", ...bodyErrors, ...databaseErrors),
  },
});

const resend = createRoute({
  ...common,
  path: "/resend-verification",
  operationId: "resendVerification",
  summary: "Mail the verification once more",
  description: "Three an hour for an address. What was mailed before is void.",
  request: body(Address),
  responses: { 202: accepted, ...problems(...bodyErrors, ...databaseErrors) },
});

const forgot = createRoute({
  ...common,
  path: "/password/forgot",
  operationId: "forgotPassword",
  summary: "Mail what sets a new password",
  description: "Three an hour for an address.",
  request: body(Address),
  responses: { 202: accepted, ...problems(...bodyErrors, ...databaseErrors) },
});

const reset = createRoute({
  ...common,
  path: "/password/reset",
  operationId: "resetPassword",
  summary: "Set a new password by the token of the mail, or by its code",
  description:
    "The token lives an hour, the code ten minutes; each works once. Ends every session. " +
    "A second factor is asked for afterwards as before.",
  request: body(Reset),
  responses: {
    204: { description: "The password is set, and every session has ended" },
    ...problems(
      "accounts.password_unchanged",
      "accounts.password_weak",
      "accounts.token_refused",
      ...bodyErrors,
      ...databaseErrors,
    ),
  },
});

export const accounts = router();

accounts.openapi(register, async (c) => {
  const doors = accountDoors(c.req, c.var);
  await noSooner(registering, () => new Accounts(doors).register(c.req.valid("json")));
  return c.body(null, 202);
});
accounts.openapi(verify, async (c) => {
  const proof = c.req.valid("json");
  await noSooner(mailing, () => new Accounts(accountDoors(c.req, c.var)).verify(proof));
  return c.body(null, 204);
});
accounts.openapi(resend, async (c) => {
  const { email } = c.req.valid("json");
  await noSooner(mailing, () => new Accounts(accountDoors(c.req, c.var)).resend(email));
  return c.body(null, 202);
});
accounts.openapi(forgot, async (c) => {
  const { email } = c.req.valid("json");
  await noSooner(mailing, () => new Accounts(accountDoors(c.req, c.var)).forgot(email));
  return c.body(null, 202);
});
accounts.openapi(reset, async (c) => {
  const { password, ...proof } = c.req.valid("json");
  await noSooner(mailing, () => new Accounts(accountDoors(c.req, c.var)).reset(proof, password));
  return c.body(null, 204);
});
