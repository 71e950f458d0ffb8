import assert from "node:assert/strict";
import { createApp } from "../../functions/api/app.ts";
import { randomAddress } from "../support/clients.ts";
import { createTestServices } from "../support/services.ts";
import { getStack } from "../support/stack.ts";
import { appleKey, type AppleUser, clientId, type FakeApple, keyId, teamId } from "./fake_apple.ts";

export const appOrigin = "https://app.example.org";
export const redirectTo = `${appOrigin}/signed-in?from=apple`;

const base64url = { alphabet: "base64url", omitPadding: true } as const;

/** What an app keeps, and what of it may be known. */
export async function newVerifier() {
  const verifier = crypto.getRandomValues(new Uint8Array(32)).toBase64(base64url);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  return { verifier, challenge: new Uint8Array(digest).toBase64(base64url) };
}

export type Project = ReturnType<typeof startProject>;

/** The function api of a project that signs in with this Apple, in front of the stack's database. */
export function startProject(apple: FakeApple, env: Record<string, string> = {}) {
  const { url, publishableKey, secretKey } = getStack();
  const { services } = createTestServices({
    SUPABASE_URL: url,
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: publishableKey }),
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: secretKey }),
    NEXUS_CORS_ORIGINS: appOrigin,
    NEXUS_LOCAL_PROVIDERS: apple.url,
    APPLE_URL: apple.url,
    APPLE_CLIENT_ID: clientId,
    APPLE_TEAM_ID: teamId,
    APPLE_KEY_ID: keyId,
    APPLE_PRIVATE_KEY: appleKey,
    ...env,
  });
  const app = createApp(services);
  const call = async (path: string, init: RequestInit = {}) =>
    await app.request(`/api/v1/auth/oauth/apple${path}`, {
      ...init,
      headers: { "x-forwarded-for": randomAddress(), ...init.headers as Record<string, string> },
    });
  return {
    authorize: (challenge: string, redirect = redirectTo) =>
      call(
        `/authorize?${new URLSearchParams({ redirect_to: redirect, code_challenge: challenge })}`,
      ),
    post: (form: Record<string, string>) =>
      call("/callback", { method: "POST", body: new URLSearchParams(form) }),
    get: (query: Record<string, string>) => call(`/callback?${new URLSearchParams(query)}`),
    token: (code: string, verifier: string) =>
      call("/token", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ code, code_verifier: verifier }),
      }),
    call,
  };
}

/** Where an answer sends the browser. */
export function locationOf(answer: Response, status: number): URL {
  assert.equal(answer.status, status);
  return new URL(answer.headers.get("location")!);
}

/** Goes to Apple, agrees there as this user, and comes back: where the browser ends up. */
export async function signIn(project: Project, apple: FakeApple, user: AppleUser) {
  const { verifier, challenge } = await newVerifier();
  const there = locationOf(await project.authorize(challenge), 302);
  const back = locationOf(await project.post(apple.consent(there.href, user)), 303);
  assert.equal(`${back.origin}${back.pathname}`, `${appOrigin}/signed-in`);
  assert.equal(back.searchParams.get("from"), "apple");
  return { code: back.searchParams.get("code"), error: back.searchParams.get("error"), verifier };
}

/** Signs in to the end: whose session it is. */
export async function personOf(project: Project, apple: FakeApple, user: AppleUser) {
  const { code, error, verifier } = await signIn(project, apple, user);
  assert.equal(error, null);
  const answer = await project.token(code!, verifier);
  const session = await answer.json();
  assert.equal(answer.status, 200, JSON.stringify(session));
  const claims = JSON.parse(
    atob(session.access_token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")),
  );
  return { id: claims.sub as string, token: session.access_token as string };
}
