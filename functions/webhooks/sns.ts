import { Buffer } from "node:buffer";
import { z } from "@hono/zod-openapi";
import { importX509 } from "jose";
import type { Services } from "shared/services.ts";
import { checkTime, refuse } from "./signature.ts";

/** What Amazon SNS posts. */
const SnsMessage = z.object({
  Type: z.enum(["Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"]),
  MessageId: z.string().min(1).max(100),
  TopicArn: z.string().max(400),
  Subject: z.string().optional(),
  Message: z.string(),
  Timestamp: z.string().max(40),
  Token: z.string().optional(),
  SubscribeURL: z.string().optional(),
  SignatureVersion: z.string(),
  Signature: z.string().max(2_000),
  SigningCertURL: z.string().max(400),
});

export type SnsMessage = z.infer<typeof SnsMessage>;

const host = String.raw`https://sns\.[a-z0-9-]{3,30}\.amazonaws\.com(?:\.cn)?`;
const certificateUrl = new RegExp(
  String.raw`^${host}/SimpleNotificationService-[0-9a-f]{32}\.pem$`,
);
const subscribeUrl = new RegExp(String.raw`^${host}/\?Action=ConfirmSubscription&[\w=&%.:~-]+$`);

/** By their address, which names the certificate for good. */
const certificates = new Map<string, Promise<CryptoKey>>();

const mostCertificates = 20;

/**
 * Seconds that a message may be old. SNS repeats what was not taken for an hour and more, each time
 * with the first Timestamp. The database knows for longer what was taken (notifications_forget_old).
 */
const oldest = 86_400;

/**
 * Verifies what SNS posts, and gives it with what the call is known by. Everybody may have a topic,
 * and Amazon signs for all of them: only those of the configuration count. Of the two versions of
 * signatures only the one with SHA-256 is taken.
 */
export async function verifySns(
  { config, callProvider }: Pick<Services, "config" | "callProvider">,
  body: string,
): Promise<{ call: string; message: SnsMessage }> {
  const message = messageIn(body);
  if (!config.email.sesTopics.includes(message.TopicArn)) refuse("not a topic of ours");
  checkTime(Date.parse(message.Timestamp) / 1000, oldest);
  if (message.SignatureVersion !== "2") refuse("not a signature with SHA-256");
  if (!certificateUrl.test(message.SigningCertURL)) refuse("not a certificate of Amazon SNS");
  const key = await certificateAt(message.SigningCertURL, callProvider);
  const valid = await crypto.subtle.verify(
    "RSASSA-PKCS1-v1_5",
    key,
    Buffer.from(message.Signature, "base64"),
    new TextEncoder().encode(signedText(message)),
  );
  if (!valid) refuse("no signature fits");
  return { call: `ses:${message.MessageId}`, message };
}

function messageIn(body: string): SnsMessage {
  try {
    return SnsMessage.parse(JSON.parse(body));
  } catch {
    return refuse("not a message of Amazon SNS");
  }
}

/** Confirms a subscription of the topic to this address, which Amazon asks for once. */
export async function confirmSns(
  { callProvider }: Pick<Services, "callProvider">,
  { SubscribeURL: url = "" }: SnsMessage,
): Promise<void> {
  if (!subscribeUrl.test(url)) refuse("not an address of Amazon SNS");
  const response = await callProvider(url, { method: "GET" }, { name: "sns" });
  await response.body?.cancel();
}

/** The lines that are signed: names and values of these fields in this order. */
function signedText(message: SnsMessage): string {
  const names = message.Type === "Notification"
    ? ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"] as const
    : ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"] as const;
  return names.filter((name) => message[name] !== undefined)
    .map((name) => `${name}\n${message[name]}\n`).join("");
}

async function certificateAt(
  url: string,
  callProvider: Services["callProvider"],
): Promise<CryptoKey> {
  const known = certificates.get(url) ?? fetchCertificate(url, callProvider);
  if (certificates.size >= mostCertificates) certificates.clear();
  certificates.set(url, known);
  try {
    return await known;
  } catch (error) {
    certificates.delete(url);
    throw error;
  }
}

async function fetchCertificate(
  url: string,
  callProvider: Services["callProvider"],
): Promise<CryptoKey> {
  const response = await callProvider(url, { method: "GET" }, { name: "sns", timeout: 5_000 });
  const pem = await response.text();
  // A certificate that another host handed out, be it by a redirect, is none of Amazon's.
  if (!response.ok || (response.url && response.url !== url)) {
    refuse("the certificate is not there");
  }
  return await importX509(pem, "RS256");
}
