import { exportJWK, generateKeyPair, importSPKI, jwtVerify, SignJWT } from "jose";
import { generateKeyPairSync } from "node:crypto";

/** Who consents on Apple's page, and how what Apple then says deviates from what it should. */
export interface AppleUser {
  subject: string;
  email?: string;
  emailVerified?: boolean | string;
  relay?: boolean | string;
  /** Sent beside the answer, as Apple does the first time. */
  name?: { firstName?: string; lastName?: string };
  claims?: Record<string, unknown>;
  /** Signs with a key that is in no list of Apple's. */
  foreignKey?: boolean;
  /** Signs HS256 with the public key as the secret. */
  confused?: boolean;
}

interface Grant {
  user: AppleUser;
  nonce: string;
  challenge: string;
  redirectUri: string;
}

/** The credentials of a project at this Apple. */
export const clientId = "org.nexus.test";
export const teamId = "TEAM000001";
export const keyId = "KEY0000001";

const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
export const appleKey = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
const clientKey = publicKey.export({ type: "spki", format: "pem" }).toString();

const signing = await generateKeyPair("RS256");
const foreign = await generateKeyPair("RS256");

/**
 * Apple's side as it is documented: a page that consents, a token endpoint that wants the client's
 * signed secret, its own redirect address and the verifier of the challenge, each code once, and a
 * list of keys that ID tokens are signed with.
 */
export class FakeApple implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #codes = new Map<string, Grant>();
  /** Why the token endpoint refused, in order. */
  readonly refusals: string[] = [];
  /** Answers of the token endpoint in place of its own. */
  readonly failures: Response[] = [];
  secretsSeen = new Set<string>();

  constructor() {
    this.#server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen() {} },
      (request) => this.#serve(request),
    );
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }

  /** What Apple's page has the browser post after the user agreed. */
  consent(location: string, user: AppleUser): Record<string, string> {
    const query = new URL(location).searchParams;
    const code = crypto.randomUUID();
    this.#codes.set(code, {
      user,
      nonce: query.get("nonce")!,
      challenge: query.get("code_challenge")!,
      redirectUri: query.get("redirect_uri")!,
    });
    const named = user.name && { user: JSON.stringify({ name: user.name, email: user.email }) };
    return { state: query.get("state")!, code, ...named };
  }

  async #serve(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/auth/keys") {
      const key = { ...await exportJWK(signing.publicKey), kid: "1", alg: "RS256" };
      return Response.json({ keys: [key] });
    }
    if (pathname !== "/auth/token" || request.method !== "POST") {
      return new Response(null, { status: 404 });
    }
    const failure = this.failures.shift();
    if (failure) return failure;
    const form = new URLSearchParams(await request.text());
    const refusal = await this.#refusal(form);
    if (refusal) {
      this.refusals.push(refusal);
      return Response.json({ error: refusal }, { status: 400 });
    }
    const grant = this.#codes.get(form.get("code")!)!;
    this.#codes.delete(form.get("code")!);
    return Response.json({
      access_token: "a",
      token_type: "Bearer",
      expires_in: 3600,
      refresh_token: "r",
      id_token: await this.#idToken(grant),
    });
  }

  async #refusal(form: URLSearchParams): Promise<string | undefined> {
    const secret = form.get("client_secret") ?? "";
    const valid = await jwtVerify(secret, await importSPKI(clientKey, "ES256"), {
      issuer: teamId,
      subject: clientId,
      audience: this.url,
      maxTokenAge: "180d",
      requiredClaims: ["exp"],
    }).catch(() => undefined);
    if (valid?.protectedHeader.kid !== keyId || form.get("client_id") !== clientId) {
      return "invalid_client";
    }
    this.secretsSeen.add(secret);
    if (form.get("grant_type") !== "authorization_code") return "unsupported_grant_type";
    const grant = this.#codes.get(form.get("code") ?? "");
    if (grant?.redirectUri !== form.get("redirect_uri")) return "invalid_grant";
    const verifier = new TextEncoder().encode(form.get("code_verifier") ?? "");
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", verifier));
    const challenge = digest.toBase64({ alphabet: "base64url", omitPadding: true });
    return challenge === grant.challenge ? undefined : "invalid_grant";
  }

  async #idToken({ user, nonce }: Grant): Promise<string> {
    const { privateKey, publicKey } = user.foreignKey ? foreign : signing;
    const now = Math.floor(Date.now() / 1000);
    const token = new SignJWT({
      iss: this.url,
      aud: clientId,
      sub: user.subject,
      iat: now,
      exp: now + 86_400,
      nonce,
      nonce_supported: true,
      auth_time: now,
      ...(user.email === undefined ? {} : {
        email: user.email,
        email_verified: user.emailVerified ?? "true",
      }),
      ...(user.relay === undefined ? {} : { is_private_email: user.relay }),
      ...user.claims,
    });
    if (user.confused) {
      const { n } = await exportJWK(publicKey);
      return await token.setProtectedHeader({ alg: "HS256", kid: "1" })
        .sign(new TextEncoder().encode(n));
    }
    return await token.setProtectedHeader({ alg: "RS256", kid: "1" }).sign(privateKey);
  }
}
