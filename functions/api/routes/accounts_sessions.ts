import { createRoute, z } from "@hono/zod-openapi";
import { createMiddleware } from "hono/factory";
import { signedIn } from "shared/auth/signed_in.ts";
import { emailAddress } from "shared/auth/email_address.ts";
import { databaseErrors, problems, signedInErrors } from "shared/errors/openapi.ts";
import type { SignedIn } from "shared/http/env.ts";
import { unlimited } from "shared/http/limits.ts";
import { bySession } from "shared/http/openapi.ts";
import { router } from "shared/http/router.ts";
import { refuseNoSooner } from "shared/http/steady.ts";
import { AccountSessions, type Caller } from "../account_sessions.ts";
import { accountDoors } from "../accounts.ts";
import { notePlaceOf } from "../places.ts";
import {
  body,
  bodyErrors,
  entry,
  entryErrors,
  givenPassword,
  newPassword,
  TokensBody,
} from "./accounts_schemas.ts";

/** Milliseconds: longer than Auth needs to say no to an address it does not know, or does. */
const refusing = 400;

interface WithAccount extends SignedIn {
  Variables: SignedIn["Variables"] & { account: Caller; sessions: AccountSessions };
}

/** Asks the database who the session is, and whether it is trusted. */
const withAccount = createMiddleware<WithAccount>(async (c, next) => {
  c.set("account", await c.var.database.rpc<Caller>("accounts_caller"));
  c.set("sessions", new AccountSessions(accountDoors(c.req, c.var)));
  await next();
});

const Login = z.strictObject({
  email: emailAddress(),
  password: givenPassword,
  tenant: entry,
}).openapi("Login");

const LoggedIn = TokensBody.extend({
  two_factor_required: z.boolean().openapi({
    description: "The session opens nothing before it gave its second factor",
  }),
}).openapi("LoggedIn");

const Refresh = z.strictObject({ refresh_token: z.string().min(1).max(1_000) }).openapi("Refresh");

const Logout = z.strictObject({
  scope: z.enum(["local", "others", "global"]).default("local").openapi({
    description: "This session, the person's others, or all",
  }),
}).openapi("Logout");

const Reauthentication = z.union([
  z.strictObject({ password: givenPassword }),
  z.strictObject({ code: z.string().regex(/^\d{6}$/) }),
]).openapi("Reauthentication");

const PasswordChange = z.strictObject({
  current_password: givenPassword,
  password: newPassword,
}).openapi("PasswordChange");

const tokens = {
  description: "The session's tokens",
  content: { "application/json": { schema: TokensBody } },
};

const common = { method: "post" as const, tags: ["accounts"] };

const login = createRoute({
  ...common,
  path: "/login",
  operationId: "login",
  summary: "Begin a session by password",
  description: "Five failures in a quarter of an hour, for an account and for a client each; " +
    "sessions there are go on. After a hundred failures in a row the password opens nothing until " +
    "it is reset. Whether an address is known, proved or banned does not show: who has yet to prove " +
    "theirs and gives the right password is mailed anew, three times an hour at most.",
  security: [],
  // Counted by its own, stricter counters, and asked for in one call.
  middleware: [unlimited] as const,
  request: body(Login),
  responses: {
    200: { description: "A session", content: { "application/json": { schema: LoggedIn } } },
    ...problems(
      "accounts.credentials_refused",
      ...entryErrors,
      ...bodyErrors,
      ...databaseErrors,
    ),
  },
});

const refresh = createRoute({
  ...common,
  path: "/refresh",
  operationId: "refresh",
  summary: "New tokens for a session",
  description: "Each refresh token is good once. One that comes again later ends its session: " +
    "somebody else has it, too.",
  security: [],
  request: body(Refresh),
  responses: {
    200: tokens,
    ...problems("accounts.refresh_refused", ...bodyErrors, ...databaseErrors),
  },
});

const logout = createRoute({
  ...common,
  path: "/logout",
  operationId: "logout",
  summary: "End this session, the others, or all",
  description: "Takes effect on the next statement. Works before the second factor, too.",
  security: bySession,
  middleware: [signedIn] as const,
  request: body(Logout),
  responses: {
    200: {
      description: "They have ended",
      content: { "application/json": { schema: z.object({ ended: z.int().min(0) }) } },
    },
    ...problems(...bodyErrors, ...signedInErrors),
  },
});

const reauthenticate = createRoute({
  ...common,
  path: "/reauthenticate",
  operationId: "reauthenticate",
  summary: "Prove once more whose session this is, by password or mailed code",
  description: "Good for five minutes and for this session. Who has a second factor gives that " +
    "instead, by `POST /2fa/verify` or a passkey.",
  security: bySession,
  middleware: [signedIn, withAccount] as const,
  request: body(Reauthentication),
  responses: {
    204: { description: "Proved" },
    ...problems(
      "accounts.credentials_refused",
      "accounts.token_refused",
      ...bodyErrors,
      ...signedInErrors,
    ),
  },
});

const sendCode = createRoute({
  ...common,
  path: "/reauthenticate/code",
  operationId: "sendReauthenticationCode",
  summary: "Mail a code to prove oneself by",
  description: "Lives ten minutes. Three an hour, those to reset a password among them.",
  security: bySession,
  middleware: [signedIn, withAccount] as const,
  responses: { 202: { description: "On its way" }, ...problems(...signedInErrors) },
});

const changePassword = createRoute({
  ...common,
  path: "/password/change",
  operationId: "changePassword",
  summary: "Set another password",
  description: "Every session ends; the one in the answer takes the place of this one.",
  security: bySession,
  middleware: [signedIn, withAccount] as const,
  request: body(PasswordChange),
  responses: {
    200: tokens,
    ...problems(
      "accounts.credentials_refused",
      "accounts.password_unchanged",
      "accounts.password_weak",
      ...bodyErrors,
      ...signedInErrors,
    ),
  },
});

export const accountsSessions = router();

accountsSessions.openapi(login, async (c) => {
  const sessions = new AccountSessions(accountDoors(c.req, c.var));
  const opened = await refuseNoSooner(refusing, () => sessions.login(c.req.valid("json")));
  await notePlaceOf(c, opened);
  return c.json(LoggedIn.parse(opened), 200);
});
accountsSessions.openapi(refresh, async (c) => {
  const sessions = new AccountSessions(accountDoors(c.req, c.var));
  const refreshed = await sessions.refresh(c.req.valid("json").refresh_token);
  await notePlaceOf(c, refreshed);
  return c.json(TokensBody.parse(refreshed), 200);
});
accountsSessions.openapi(logout, async (c) => {
  const { scope } = c.req.valid("json");
  return c.json({ ended: await c.var.database.rpc<number>("accounts_logout", { scope }) }, 200);
});
accountsSessions.openapi(reauthenticate, async (c) => {
  const { account, sessions } = c.var;
  const proof = c.req.valid("json");
  if ("password" in proof) await sessions.proveByPassword(account, proof.password);
  else await sessions.proveByCode(account, proof.code);
  return c.body(null, 204);
});
accountsSessions.openapi(sendCode, async (c) => {
  await c.var.sessions.sendCode(c.var.account);
  return c.body(null, 202);
});
accountsSessions.openapi(changePassword, async (c) => {
  const { current_password, password } = c.req.valid("json");
  const changed = await c.var.sessions.changePassword(c.var.account, current_password, password);
  return c.json(TokensBody.parse(changed), 200);
});
