import { createRoute, z } from "@hono/zod-openapi";
import type { HonoRequest } from "hono";
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from "shared/auth/passkeys.ts";
import { signedIn } from "shared/auth/signed_in.ts";
import { databaseErrors, problems, signedInErrors } from "shared/errors/openapi.ts";
import type { Env } from "shared/http/env.ts";
import { lenient, limited } from "shared/http/limits.ts";
import { bySession } from "shared/http/openapi.ts";
import { originOf } from "shared/http/origin.ts";
import { listOf } from "shared/http/paging.ts";
import { router } from "shared/http/router.ts";
import {
  AddedPasskey,
  Answer,
  Changes,
  CreationOptions,
  LoginAnswer,
  NewPasskey,
  Passkey,
  RequestOptions,
  Where,
} from "../passkey_forms.ts";
import { Passkeys } from "../passkeys.ts";
import { notePlaceOf } from "../places.ts";
import { body, bodyErrors, entryErrors, TokensBody } from "./accounts_schemas.ts";

/** Hashing ten codes, which comes with the first one, costs a third of a second of CPU. */
const costly = limited({ name: "passkeys_register", by: "person", limit: 20, window: 300 });

/** Each login leaves a row until it is answered. A café or a campus comes from one address. */
const logins = limited({ name: "passkeys_login", by: "ip", limit: 200, window: 300 });

const answer = <T extends z.ZodType>(description: string, schema: T) => ({
  description,
  content: { "application/json": { schema } },
});

const domainErrors = ["passkeys.no_domain", "tenants.not_found"] as const;
const own = { tags: ["passkeys"], security: bySession };
const open = { tags: ["passkeys"], security: [] };

const beginRegistration = createRoute({
  ...own,
  method: "post",
  path: "/register/options",
  operationId: "beginPasskey",
  summary: "Begin to add a passkey",
  description:
    "The session began, or proved within the last five minutes whose it is: by a second " +
    "factor from whoever has one, else by `POST /auth/reauthenticate`.",
  middleware: [signedIn] as const,
  request: body(Where),
  responses: {
    200: answer("What the browser is asked for", CreationOptions),
    ...problems(
      "accounts.reauthentication_required",
      "passkeys.too_many",
      "two_factor.recent_required",
      ...domainErrors,
      ...bodyErrors,
      ...signedInErrors,
    ),
  },
});

const register = createRoute({
  ...own,
  method: "post",
  path: "/register/verify",
  operationId: "addPasskey",
  summary: "Add the passkey that the browser made",
  description: "It counts as a second factor: this session has given it, and every other session " +
    "of the person opens nothing before it gave one. Whoever has no backup codes gets them now: " +
    "they stand in for it. A mail tells the person.",
  middleware: [costly, lenient, signedIn] as const,
  request: body(NewPasskey),
  responses: {
    201: answer("The passkey", AddedPasskey),
    ...problems(
      "passkeys.already_registered",
      "passkeys.refused",
      "passkeys.too_many",
      ...bodyErrors,
      ...signedInErrors,
    ),
  },
});

const beginLogin = createRoute({
  ...open,
  method: "post",
  path: "/login/options",
  operationId: "beginPasskeyLogin",
  summary: "Begin to sign in, without saying who one is",
  middleware: [logins] as const,
  request: body(Where),
  responses: {
    200: answer("What the browser is asked for", RequestOptions),
    ...problems(...domainErrors, ...bodyErrors, ...databaseErrors),
  },
});

const login = createRoute({
  ...open,
  method: "post",
  path: "/login/verify",
  operationId: "loginByPasskey",
  summary: "Sign in by a passkey",
  description: "The session has its second factor by that.",
  middleware: [logins] as const,
  request: body(LoginAnswer),
  responses: {
    200: answer("A session", TokensBody),
    ...problems(
      "auth.banned",
      "auth.email_unconfirmed",
      "passkeys.refused",
      "people.not_found",
      ...entryErrors,
      ...bodyErrors,
      ...databaseErrors,
    ),
  },
});

const beginStepUp = createRoute({
  ...own,
  method: "post",
  path: "/step-up/options",
  operationId: "beginPasskeyStepUp",
  summary: "Begin to give a passkey as this session's second factor",
  description: "Answers before the second factor, too.",
  middleware: [signedIn] as const,
  request: body(Where),
  responses: {
    200: answer("What the browser is asked for", RequestOptions),
    ...problems("passkeys.not_found", ...domainErrors, ...bodyErrors, ...signedInErrors),
  },
});

const stepUp = createRoute({
  ...own,
  method: "post",
  path: "/step-up/verify",
  operationId: "stepUpByPasskey",
  summary: "Give a passkey as this session's second factor",
  middleware: [signedIn] as const,
  request: body(Answer),
  responses: {
    200: answer("The session is verified", z.object({ verified: z.literal(true) })),
    ...problems("passkeys.refused", ...bodyErrors, ...signedInErrors),
  },
});

const list = createRoute({
  ...own,
  method: "get",
  path: "/",
  operationId: "listPasskeys",
  summary: "My passkeys",
  middleware: [signedIn] as const,
  responses: { 200: answer("All of them", listOf(Passkey)), ...problems(...signedInErrors) },
});

const byId = { params: z.object({ id: z.uuid() }) };

const rename = createRoute({
  ...own,
  method: "patch",
  path: "/{id}",
  operationId: "renamePasskey",
  summary: "Give a passkey another name",
  middleware: [signedIn] as const,
  request: { ...byId, ...body(Changes) },
  responses: {
    200: answer("The passkey", Passkey),
    ...problems("passkeys.not_found", ...bodyErrors, ...signedInErrors),
  },
});

const remove = createRoute({
  ...own,
  method: "delete",
  path: "/{id}",
  operationId: "removePasskey",
  summary: "Remove a passkey",
  description:
    "The session gave a second factor within the last five minutes. Other sessions that " +
    "the passkey opened end. A mail tells the person.",
  middleware: [signedIn] as const,
  request: byId,
  responses: {
    200: answer("The passkey that was", Passkey),
    ...problems(
      "passkeys.not_found",
      "request.invalid",
      "two_factor.recent_required",
      ...signedInErrors,
    ),
  },
});

export const passkeys = router();

const actsOf = (c: { req: HonoRequest; var: Env["Variables"] }) =>
  new Passkeys(c.var.services, originOf(c.req, c.var));

passkeys.openapi(beginRegistration, async (c) => {
  const { tenant } = c.req.valid("json");
  return c.json(
    CreationOptions.parse(await actsOf(c).beginRegistration(c.var.database, tenant)),
    200,
  );
});
passkeys.openapi(register, async (c) => {
  const { credential, name } = c.req.valid("json");
  const response = credential as RegistrationResponseJSON;
  return c.json(await actsOf(c).register(c.var.database, response, name), 201);
});
passkeys.openapi(
  beginLogin,
  async (c) =>
    c.json(RequestOptions.parse(await actsOf(c).beginLogin(c.req.valid("json").tenant)), 200),
);
passkeys.openapi(login, async (c) => {
  const { credential, tenant } = c.req.valid("json");
  const opened = await actsOf(c).login(credential as AuthenticationResponseJSON, tenant);
  await notePlaceOf(c, opened);
  return c.json(opened, 200);
});
passkeys.openapi(beginStepUp, async (c) => {
  const { tenant } = c.req.valid("json");
  return c.json(
    RequestOptions.parse(await actsOf(c).beginStepUp(c.var.database, tenant)),
    200,
  );
});
passkeys.openapi(stepUp, async (c) => {
  const response = c.req.valid("json").credential as AuthenticationResponseJSON;
  await actsOf(c).stepUp(c.var.database, response);
  return c.json({ verified: true as const }, 200);
});

type Shown = z.infer<typeof Passkey>;

passkeys.openapi(list, async (c) => {
  const found = await c.var.database.rpc<{ data: Shown[]; next_cursor: null }>("passkeys_list");
  return c.json(found, 200);
});
passkeys.openapi(rename, async (c) => {
  const args = { passkey: c.req.valid("param").id, ...c.req.valid("json") };
  return c.json(await c.var.database.rpc<Shown>("passkeys_rename", args), 200);
});
passkeys.openapi(remove, async (c) => {
  const args = { passkey: c.req.valid("param").id };
  return c.json(await c.var.database.rpc<Shown>("passkeys_delete", args), 200);
});
