import { type Context, Hono } from "hono";
import type { Caller } from "../part.ts";
import { deleteFactor, listFactors } from "./admin/factors.ts";
import { generateLink, invite } from "./admin/links.ts";
import { listUsers } from "./admin/list.ts";
import { updateUserAsAdmin } from "./admin/update.ts";
import { createUserAsAdmin, deleteUser, getUser as getUserAsAdmin } from "./admin/users.ts";
import type { Auth } from "./auth.ts";
import type { Json } from "./body.ts";
import { type Call, openCall } from "./call.ts";
import { AuthError, errorResponse, invalid } from "./errors.ts";
import { unlinkIdentity } from "./flows/identities.ts";
import { magicLink, otp, reauthenticate, recover, resend } from "./flows/links.ts";
import { token } from "./flows/login.ts";
import { signUp } from "./flows/signup.ts";
import { getUser, logOut, updateUser } from "./flows/user.ts";
import { verify } from "./flows/verify.ts";
import { verifyLink } from "./flows/verify_link.ts";
import { requireAdmin, requireUser } from "./guard.ts";
import type { LimitName } from "./limits.ts";
import { health, jwks, openIdConfiguration, settings } from "./well_known.ts";

type Env = { Bindings: { caller: Caller } };

/** What an endpoint does: an object is its JSON answer. */
type Flow = (auth: Auth, call: Call) => Promise<Response | Json> | Response | Json;

/** GoTrue's endpoints under `/auth/v1`, the limit each counts against beside them. */
export function createRoutes(auth: Auth): Hono<Env> {
  const on = (flow: Flow, limit?: LimitName) => async (context: Context<Env>) => {
    const { req, env } = context;
    const call = await openCall(auth.keys, req.raw, env.caller, req.param());
    if (limit) auth.limits.take(limit, call.address);
    const answer = await flow(auth, call);
    return answer instanceof Response ? answer : Response.json(answer);
  };
  const onAdmin = (flow: Flow) =>
    on(async (auth, call) => {
      await requireAdmin(auth, call);
      return await flow(auth, call);
    });

  const app = new Hono<Env>().basePath("/auth/v1");
  app.onError((error, { req }) => errorResponse(error, req.raw, auth.log));
  app.notFound(() => Response.json({ code: 404, msg: "Path not found" }, { status: 404 }));

  app.get("/health", on(health));
  app.get("/settings", on(settings));
  app.get("/.well-known/jwks.json", on(jwks));
  app.get("/.well-known/openid-configuration", on(openIdConfiguration));

  app.post("/signup", on(signUp));
  app.post("/token", on(token));
  app.post("/recover", on(recover, "recover"));
  app.post("/otp", on(otp, "otp"));
  app.post("/magiclink", on(magicLink, "magicLink"));
  app.post("/resend", on(resend, "resend"));
  app.post("/verify", on(verify, "verify"));
  app.get("/verify", on(verifyLink, "verify"));

  app.get("/user", on(getUser));
  app.put("/user", on(updateUser));
  app.delete("/user/identities/:id", on(unlinkIdentity));
  app.post("/logout", on(logOut));
  app.get("/reauthenticate", on(reauthenticate));

  app.post("/invite", onAdmin(invite));
  app.get("/admin/users", onAdmin(listUsers));
  app.post("/admin/users", onAdmin(createUserAsAdmin));
  app.get("/admin/users/:id", onAdmin(getUserAsAdmin));
  app.put("/admin/users/:id", onAdmin(updateUserAsAdmin));
  app.delete("/admin/users/:id", onAdmin(deleteUser));
  app.get("/admin/users/:id/factors", onAdmin(listFactors));
  app.delete("/admin/users/:id/factors/:factor", onAdmin(deleteFactor));
  app.post("/admin/generate_link", onAdmin(generateLink));

  app.get("/authorize", on(noProvider));
  app.all("/callback", on(noProvider));
  app.all("/sso", on(noSaml));
  app.post("/factors", on(noFactors));
  return app;
}

function noProvider(): never {
  throw invalid("Unsupported provider: provider is not enabled");
}

function noSaml(): never {
  throw new AuthError(404, "saml_provider_disabled", "SAML 2.0 is disabled");
}

async function noFactors(auth: Auth, call: Call): Promise<never> {
  await requireUser(auth, call);
  throw new AuthError(422, "mfa_totp_enroll_not_enabled", "MFA enroll is disabled for TOTP");
}
