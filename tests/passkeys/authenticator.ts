import { Buffer } from "node:buffer";
import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from "shared/auth/passkeys.ts";

/** What a test has the authenticator, or the page it is used on, do wrong. */
export interface Deviation {
  origin?: string;
  rpId?: string;
  challenge?: string;
  type?: string;
  crossOrigin?: boolean;
  userVerified?: boolean;
  counter?: number;
  userHandle?: string | undefined;
  /** The kind of key, as a number of COSE. */
  algorithm?: number;
}

/** The options that matter here, of both kinds. */
interface Options {
  challenge: string;
  rp?: { id?: string };
  rpId?: string;
  user?: { id: string };
}

const encode = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url");
const sha256 = (data: string | Uint8Array) => createHash("sha256").update(data).digest();

/** CBOR of the few kinds of values that an attestation has. */
function cbor(value: unknown): Buffer {
  const head = (major: number, length: number) => {
    const [size, ...more] = length < 24
      ? [length]
      : length < 256
      ? [24, length]
      : [25, length >> 8, length & 255];
    return Buffer.from([major << 5 | size!, ...more]);
  };
  if (typeof value === "number") return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === "string") return Buffer.concat([head(3, value.length), Buffer.from(value)]);
  if (value instanceof Uint8Array) return Buffer.concat([head(2, value.length), value]);
  const entries = [...value as Map<unknown, unknown>];
  return Buffer.concat([head(5, entries.length), ...entries.flat().map(cbor)]);
}

/**
 * An authenticator with one discoverable credential, and the browser in front of it: what they sign
 * is real, and what a browser or an honest device would never do can be had by asking for it.
 */
export class Authenticator {
  readonly #keys: { privateKey: KeyObject; publicKey: KeyObject };
  readonly id = encode(crypto.getRandomValues(new Uint8Array(32)));
  counter = 0;
  #userHandle = "";

  /** `counting`: it counts its signatures, as security keys do and synced passkeys do not. */
  constructor(readonly origin: string, readonly counting = true) {
    this.#keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  }

  /** The answer to `navigator.credentials.create()`. */
  create(options: Options, deviation: Deviation = {}): RegistrationResponseJSON {
    this.#userHandle = options.user!.id;
    const { x, y } = this.#keys.publicKey.export({ format: "jwk" });
    const key = cbor(
      new Map<number, unknown>([
        [1, 2],
        [3, deviation.algorithm ?? -7],
        [-1, 1],
        [-2, Buffer.from(x!, "base64url")],
        [-3, Buffer.from(y!, "base64url")],
      ]),
    );
    const id = Buffer.from(this.id, "base64url");
    const length = Buffer.from([id.length >> 8, id.length & 255]);
    const credential = Buffer.concat([Buffer.alloc(16), length, id, key]);
    const authData = this.#authenticatorData(options.rp?.id, deviation, credential);
    const attestation = new Map<string, unknown>([
      ["fmt", "none"],
      ["attStmt", new Map()],
      ["authData", authData],
    ]);
    return {
      ...this.#credential(),
      response: {
        clientDataJSON: encode(this.#clientData("webauthn.create", options, deviation)),
        attestationObject: encode(cbor(attestation)),
        transports: ["internal"],
      },
    };
  }

  /** The answer to `navigator.credentials.get()`. */
  get(options: Options, deviation: Deviation = {}): AuthenticationResponseJSON {
    const clientData = this.#clientData("webauthn.get", options, deviation);
    const authData = this.#authenticatorData(options.rpId, deviation);
    const signed = Buffer.concat([authData, sha256(clientData)]);
    const userHandle = "userHandle" in deviation ? deviation.userHandle : this.#userHandle;
    return {
      ...this.#credential(),
      response: {
        clientDataJSON: encode(clientData),
        authenticatorData: encode(authData),
        signature: encode(sign("sha256", signed, this.#keys.privateKey)),
        ...(userHandle === undefined ? {} : { userHandle }),
      },
    };
  }

  #credential() {
    const type = "public-key" as const;
    return { id: this.id, rawId: this.id, type, clientExtensionResults: {} };
  }

  #clientData(type: string, { challenge }: Options, deviation: Deviation): Buffer {
    return Buffer.from(JSON.stringify({
      type: deviation.type ?? type,
      challenge: deviation.challenge ?? challenge,
      origin: deviation.origin ?? this.origin,
      crossOrigin: deviation.crossOrigin ?? false,
    }));
  }

  #authenticatorData(
    rpId: string | undefined,
    deviation: Deviation,
    credential = Buffer.alloc(0),
  ): Buffer {
    if (this.counting) this.counter++;
    const data = Buffer.alloc(37);
    sha256(deviation.rpId ?? rpId ?? "").copy(data);
    const verified = deviation.userVerified === false ? 0 : 4;
    const synced = this.counting ? 0 : 0x18;
    data[32] = 1 | verified | synced | (credential.length > 0 ? 0x40 : 0);
    data.writeUInt32BE(deviation.counter ?? this.counter, 33);
    return Buffer.concat([data, credential]);
  }
}
