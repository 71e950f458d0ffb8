import { Buffer } from "node:buffer";
import { exportPKCS8, generateKeyPair, jwtVerify } from "jose";

/** A service account as its key file names it, and what Google would check it by. */
export async function createServiceAccount(tokenUrl: string) {
  const { privateKey, publicKey } = await generateKeyPair("RS256", { extractable: true });
  const file = {
    type: "service_account",
    project_id: "nexus-test",
    private_key_id: "key-1",
    private_key: await exportPKCS8(privateKey),
    client_email: "sender@nexus-test.iam.gserviceaccount.com",
    token_uri: tokenUrl,
  };
  return { file: JSON.stringify(file), publicKey };
}

interface FcmMessage {
  token: string;
  notification: { title: string; body: string };
  data: Record<string, string>;
  android: { collapse_key: string; notification: { tag: string } };
}

const refused = (status: number, name: string, details: unknown[] = []) =>
  Response.json({ error: { code: status, status: name, details } }, { status });

const fcmError = (errorCode: string) => ({
  "@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError",
  errorCode,
});

/** Google's token endpoint, FCM's HTTP v1 and Gmail's sending, as far as a sender meets them. */
export class Google {
  tokensGiven = 0;
  /** Access tokens that are accepted now. */
  readonly accepted = new Map<string, { scope: string; subject: string | undefined }>();
  /** What apps have, by token and collapse key. */
  readonly pushed = new Map<string, Map<string, FcmMessage>>();
  readonly unregistered = new Set<string>();
  readonly mails: { as: string | undefined; mime: string }[] = [];

  constructor(
    readonly publicKey: CryptoKey,
    readonly tokenUrl: string,
    readonly interfere: () => Response | undefined = () => undefined,
  ) {}

  async handle(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/token") return await this.token(request);
    const broken = this.interfere();
    if (broken) return broken;
    const bearer = request.headers.get("authorization")?.replace("Bearer ", "") ?? "";
    const grant = this.accepted.get(bearer);
    if (!grant) return refused(401, "UNAUTHENTICATED");
    if (pathname === "/v1/projects/nexus-test/messages:send") return await this.push(request);
    if (pathname === "/gmail/v1/users/me/messages/send") {
      if (!grant.scope.endsWith("gmail.send")) return refused(403, "PERMISSION_DENIED");
      const { raw } = await request.json();
      this.mails.push({ as: grant.subject, mime: Buffer.from(raw, "base64url").toString() });
      return Response.json({ id: `gmail-${this.mails.length}` });
    }
    return refused(404, "NOT_FOUND");
  }

  private async token(request: Request): Promise<Response> {
    const form = await request.formData();
    if (form.get("grant_type") !== "urn:ietf:params:oauth:grant-type:jwt-bearer") {
      return Response.json({ error: "unsupported_grant_type" }, { status: 400 });
    }
    try {
      const { payload } = await jwtVerify(String(form.get("assertion")), this.publicKey, {
        audience: this.tokenUrl,
        algorithms: ["RS256"],
        requiredClaims: ["iss", "iat", "exp"],
      });
      if (payload.exp! - payload.iat! > 3600) throw new Error("more than an hour");
      const token = `ya29.${++this.tokensGiven}`;
      this.accepted.set(token, { scope: String(payload.scope), subject: payload.sub });
      return Response.json({ access_token: token, expires_in: 3599, token_type: "Bearer" });
    } catch {
      return Response.json({ error: "invalid_grant" }, { status: 400 });
    }
  }

  private async push(request: Request): Promise<Response> {
    const { message } = await request.json() as { message: FcmMessage };
    if (message.token.startsWith("bad")) {
      return refused(400, "INVALID_ARGUMENT", [
        fcmError("INVALID_ARGUMENT"),
        { fieldViolations: [{ field: "message.token" }] },
      ]);
    }
    if (this.unregistered.has(message.token)) {
      return refused(404, "NOT_FOUND", [fcmError("UNREGISTERED")]);
    }
    if (Object.values(message.data).some((value) => typeof value !== "string")) {
      return refused(400, "INVALID_ARGUMENT", [
        fcmError("INVALID_ARGUMENT"),
        { fieldViolations: [{ field: "message.data" }] },
      ]);
    }
    const messages = this.pushed.get(message.token) ?? new Map<string, FcmMessage>();
    this.pushed.set(message.token, messages);
    messages.set(message.android.collapse_key, message);
    return Response.json({ name: `projects/nexus-test/messages/${crypto.randomUUID()}` });
  }
}
