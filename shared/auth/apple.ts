import { createRemoteJWKSet, customFetch, importPKCS8, jwtVerify, SignJWT } from "jose";
import type { AppleConfig } from "../config_providers.ts";
import { ProblemError } from "../errors/problem.ts";
import type { CallProvider } from "../http/provider.ts";

/** Who Apple says somebody is. */
export interface AppleIdentity {
  subject: string;
  /** Undefined unless Apple verified it. */
  email: string | undefined;
  /** Apple forwards for this address and hides the person's own. */
  relay: boolean;
}

/** What one sign-in has of its own. */
export interface Ceremony {
  state: string;
  nonce: string;
  code_verifier: string;
}

/** Apple's side of signing in, as Apple documents it (OpenID Connect with quirks). */
export class Apple {
  readonly #keys: ReturnType<typeof createRemoteJWKSet>;

  constructor(readonly settings: AppleConfig, readonly call: CallProvider) {
    this.#keys = createRemoteJWKSet(new URL(`${settings.url}/auth/keys`), {
      [customFetch]: (url, init) => call(url, init, { name: "apple" }),
    });
  }

  /** Where the browser is sent. Apple posts its answer, since a name and an address are asked for. */
  async authorizeUrl({ state, nonce, code_verifier }: Ceremony): Promise<string> {
    const query = new URLSearchParams({
      client_id: this.settings.clientId,
      redirect_uri: this.settings.redirectUri,
      response_type: "code",
      response_mode: "form_post",
      scope: "name email",
      state,
      nonce,
      code_challenge: await challengeOf(code_verifier),
      code_challenge_method: "S256",
    });
    return `${this.settings.url}/auth/authorize?${query}`;
  }

  /** Who came back with this code; everything that does not hold ends as `apple.refused`. */
  async identify(
    code: string,
    { nonce, code_verifier }: Omit<Ceremony, "state">,
  ): Promise<AppleIdentity> {
    const { clientId, redirectUri, url } = this.settings;
    const response = await this.call(`${url}/auth/token`, {
      method: "POST",
      body: new URLSearchParams({
        grant_type: "authorization_code",
        code,
        redirect_uri: redirectUri,
        client_id: clientId,
        client_secret: await this.#clientSecret(),
        code_verifier,
      }),
    }, { name: "apple" });
    const text = await response.text();
    if (response.status >= 500 || response.status === 429) {
      throw new ProblemError("unavailable", { retryAfter: 5, cause: new Error(text) });
    }
    if (!response.ok) throw new ProblemError("apple.refused", { cause: new Error(text) });
    return await this.#verify(idTokenIn(text), nonce);
  }

  /** Proves who we are. Made for each request, so that no secret of half a year runs out unseen. */
  async #clientSecret(): Promise<string> {
    const { clientId, teamId, keyId, privateKey, url } = this.settings;
    return await new SignJWT()
      .setProtectedHeader({ alg: "ES256", kid: keyId })
      .setIssuer(teamId)
      .setSubject(clientId)
      .setAudience(url)
      .setIssuedAt()
      .setExpirationTime("5m")
      .sign(await importPKCS8(privateKey.reveal(), "ES256"));
  }

  async #verify(idToken: string, nonce: string): Promise<AppleIdentity> {
    const { payload } = await jwtVerify(idToken, this.#keys, {
      issuer: this.settings.url,
      audience: this.settings.clientId,
      algorithms: ["RS256"],
      requiredClaims: ["sub", "exp", "iat", "nonce"],
      clockTolerance: 30,
    }).catch((cause) => {
      if (cause instanceof ProblemError) throw cause;
      throw new ProblemError("apple.refused", { cause });
    });
    if (payload.nonce !== nonce) {
      throw new ProblemError("apple.refused", { cause: new Error("the nonce is another one") });
    }
    const verified = isTrue(payload.email_verified) && typeof payload.email === "string";
    return {
      subject: payload.sub!,
      email: verified ? payload.email as string : undefined,
      relay: isTrue(payload.is_private_email),
    };
  }
}

/** Apple writes its booleans as text, at times. */
const isTrue = (claim: unknown) => claim === true || claim === "true";

function idTokenIn(text: string): string {
  try {
    const { id_token } = JSON.parse(text);
    if (typeof id_token === "string") return id_token;
    throw new Error("no id_token");
  } catch (cause) {
    throw new ProblemError("apple.refused", { cause });
  }
}

/** RFC 7636: what may be known of a verifier. */
export async function challengeOf(verifier: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  return new Uint8Array(digest).toBase64({ alphabet: "base64url", omitPadding: true });
}
