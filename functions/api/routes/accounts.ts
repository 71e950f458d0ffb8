import { createRoute, z } from "@hono/zod-openapi";
import { emailAddress } from "shared/auth/email_address.ts";
import { databaseErrors, problems } from "shared/errors/openapi.ts";
import { ProblemError } from "shared/errors/problem.ts";
import { formUpTo } from "shared/http/declared.ts";
import { isForm } from "shared/http/forms.ts";
import { router } from "shared/http/router.ts";
import { noSooner } from "shared/http/steady.ts";
import { accountDoors, Accounts } from "../accounts.ts";
import {
  type Enclosing,
  Registration,
  RegistrationForm,
  registrationOf,
} from "../registration_forms.ts";
import { body, bodyErrors, mailed, newPassword } from "./accounts_schemas.ts";
import { bodyLimit } from "./files.ts";

/** Milliseconds within which everything that depends on the address is done, known or not. */
const mailing = 150;

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
    "of the network. Where the tenant checks documents, a form may bring them at once: they are " +
    "handed in when the address is proved, and go where it is not.",
  middleware: [formUpTo(bodyLimit)] as const,
  request: {
    body: {
      content: {
        "application/json": { schema: Registration },
        "multipart/form-data": { schema: RegistrationForm },
      },
    },
  },
  responses: {
    202: accepted,
    ...problems(
      "accounts.password_weak",
      "documents.type_unknown",
      "files.damaged",
      "files.too_large",
      "files.too_many_pixels",
      "files.type_unsupported",
      "invitations.ended",
      "invitations.not_found",
      "invitations.other_address",
      "members.registration_closed",
      "tenants.module_off",
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
  const registration = isForm(c)
    ? await registrationOf(c.req.valid("form") as Enclosing)
    : c.req.valid("json");
  if (!("email" in registration)) throw new ProblemError("request.unsupported_media_type");
  await new Accounts(accountDoors(c.req, c.var)).register(registration);
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
