import { type JWTPayload, jwtVerify, SignJWT } from "jose";
import type { Keys } from "../keys.ts";
import { refusal, tokenFault } from "./errors.ts";

/** Seconds within which a signed upload must begin, as on hosted. */
const uploadWithin = 7200;

/** What a signed upload URL permits. */
export interface UploadPermit extends JWTPayload {
  owner?: string;
  upsert?: boolean;
}

/** Signs and checks the tokens of signed URLs. Their key is made from the project's, and is no other. */
export class Signer {
  private constructor(readonly key: Uint8Array) {}

  static async of(keys: Keys): Promise<Signer> {
    const text = new TextEncoder().encode(`storage url signing ${keys.signing.d}`);
    return new Signer(new Uint8Array(await crypto.subtle.digest("SHA-256", text)));
  }

  download(path: string, expiresIn: number): Promise<string> {
    return this.#sign({ url: path }, expiresIn);
  }

  upload(path: string, permit: { owner: string | undefined; upsert: boolean }): Promise<string> {
    return this.#sign({ url: path, ...permit }, uploadWithin);
  }

  /** What the token permits; refuses one that is bad, old, or for another path. */
  async check(token: string | null, path: string, kind: "download" | "upload") {
    if (!token) throw refusal.invalid("querystring must have required property 'token'");
    let permit: UploadPermit;
    try {
      permit = (await jwtVerify<UploadPermit>(token, this.key, { algorithms: ["HS256"] })).payload;
    } catch (error) {
      throw refusal.badJwt(tokenFault(error));
    }
    // A permit to read is none to write, though both name the path.
    const isUpload = typeof permit.upsert === "boolean";
    if (permit.url !== path || isUpload !== (kind === "upload")) throw refusal.badSignature();
    return permit;
  }

  #sign(claims: JWTPayload, expiresIn: number): Promise<string> {
    const iat = Math.floor(Date.now() / 1000);
    return new SignJWT({ ...claims, iat, exp: iat + expiresIn })
      .setProtectedHeader({ alg: "HS256", typ: "JWT" }).sign(this.key);
  }
}
