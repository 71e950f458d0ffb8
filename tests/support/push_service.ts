import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import { importJWK, jwtVerify } from "jose";

type Bytes = Uint8Array<ArrayBuffer>;

const bytesOf = (text: string): Bytes => new Uint8Array(Buffer.from(text, "base64url"));
const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url");
const ascii = (text: string): Bytes => new TextEncoder().encode(text) as Bytes;

async function hkdf(secret: Bytes, salt: Bytes, info: Bytes, length: number): Promise<Bytes> {
  const key = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveBits"]);
  const bits = await crypto.subtle.deriveBits(
    { name: "HKDF", hash: "SHA-256", salt, info },
    key,
    length * 8,
  );
  return new Uint8Array(bits);
}

const join = (...parts: Uint8Array[]): Bytes => new Uint8Array(Buffer.concat(parts));

/** A browser's side of web push: its keys, and RFC 8291 by WebCrypto, with nothing of the sender's. */
export class Receiver {
  private constructor(
    readonly p256dh: string,
    readonly auth: string,
    private readonly keys: CryptoKeyPair,
  ) {}

  static async create(): Promise<Receiver> {
    const keys = await crypto.subtle.generateKey(
      { name: "ECDH", namedCurve: "P-256" },
      false,
      ["deriveBits"],
    );
    const raw = new Uint8Array(await crypto.subtle.exportKey("raw", keys.publicKey));
    const auth = crypto.getRandomValues(new Uint8Array(16));
    return new Receiver(textOf(raw), textOf(auth), keys);
  }

  /** Opens a body of content coding aes128gcm (RFC 8188) of one record. */
  async decrypt(body: Bytes): Promise<string> {
    const salt = body.slice(0, 16);
    const idLength = body[20]!;
    const sender = body.slice(21, 21 + idLength);
    assert.equal(idLength, 65, "the key id is the sender's public key");
    const other = await crypto.subtle.importKey(
      "raw",
      sender,
      { name: "ECDH", namedCurve: "P-256" },
      false,
      [],
    );
    const shared = new Uint8Array(
      await crypto.subtle.deriveBits(
        { name: "ECDH", public: other },
        this.keys.privateKey,
        256,
      ),
    );
    const info = join(ascii("WebPush: info\0"), bytesOf(this.p256dh), sender);
    const ikm = await hkdf(shared, bytesOf(this.auth), info, 32);
    const key = await hkdf(ikm, salt, ascii("Content-Encoding: aes128gcm\0"), 16);
    const nonce = await hkdf(ikm, salt, ascii("Content-Encoding: nonce\0"), 12);
    const opened = new Uint8Array(
      await crypto.subtle.decrypt(
        { name: "AES-GCM", iv: nonce },
        await crypto.subtle.importKey("raw", key, "AES-GCM", false, ["decrypt"]),
        body.slice(21 + idLength),
      ),
    );
    const end = opened.lastIndexOf(2);
    assert.ok(end > 0, "the last record ends with a 2");
    return new TextDecoder().decode(opened.slice(0, end));
  }
}

export interface Pushed {
  topic: string;
  ttl: number;
  urgency: string;
  body: Bytes;
}

/**
 * A push service as RFC 8030 and RFC 8292 have it: it asks for a VAPID token of its own origin, by
 * the key that the subscription was made with, keeps one message for each topic, and cannot read any.
 */
export class PushService {
  /** Messages that wait for a device, by subscription and topic. */
  readonly waiting = new Map<string, Map<string, Pushed>>();
  readonly gone = new Set<string>();
  requests = 0;

  constructor(
    readonly origin: string,
    readonly vapidKey: string,
    /** Answers in place of the service; undefined lets it do its work. */
    readonly interfere: () => Response | undefined = () => undefined,
  ) {}

  endpoint(name: string): string {
    return `${this.origin}/push/${name}`;
  }

  async handle(request: Request): Promise<Response> {
    this.requests++;
    const broken = this.interfere();
    if (broken) return broken;
    const name = new URL(request.url).pathname.split("/").at(-1)!;
    if (this.gone.has(name)) return new Response("expired", { status: 410 });
    const refusal = await this.refusal(request);
    if (refusal) return new Response(refusal, { status: 403 });
    const topic = request.headers.get("topic") ?? crypto.randomUUID();
    if (!/^[A-Za-z0-9_-]{1,32}$/.test(topic)) return new Response("topic", { status: 400 });
    const body = new Uint8Array(await request.arrayBuffer());
    if (body.length > 4096) return new Response("too large", { status: 413 });
    const messages = this.waiting.get(name) ?? new Map<string, Pushed>();
    this.waiting.set(name, messages);
    messages.set(topic, {
      topic,
      ttl: Number(request.headers.get("ttl")),
      urgency: request.headers.get("urgency") ?? "",
      body,
    });
    return new Response(null, { status: 201, headers: { location: `${this.origin}/m/${topic}` } });
  }

  private async refusal(request: Request): Promise<string | undefined> {
    if (request.headers.get("content-encoding") !== "aes128gcm") return "not aes128gcm";
    if (!/^\d+$/.test(request.headers.get("ttl") ?? "")) return "no TTL";
    const [, token = "", key] = /^vapid t=([^,\s]+), ?k=(\S+)$/
      .exec(request.headers.get("authorization") ?? "") ?? [];
    if (key !== this.vapidKey) return "another key than the subscription's";
    const point = bytesOf(key);
    const jwk = {
      kty: "EC",
      crv: "P-256",
      x: textOf(point.slice(1, 33)),
      y: textOf(point.slice(33)),
    };
    try {
      const { payload } = await jwtVerify(token, await importJWK(jwk, "ES256"), {
        audience: this.origin,
        algorithms: ["ES256"],
        requiredClaims: ["exp", "sub"],
      });
      if (payload.exp! - Date.now() / 1000 > 24 * 3600) return "lives for more than a day";
      return /^(mailto:|https:)/.test(String(payload.sub)) ? undefined : "no contact";
    } catch (error) {
      return String(error);
    }
  }
}
