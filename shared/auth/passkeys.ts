import { Buffer } from "node:buffer";
import type {
  AuthenticationResponseJSON,
  AuthenticatorTransport,
  RegistrationResponseJSON,
} from "@simplewebauthn/server";
import { ProblemError } from "../errors/problem.ts";

export type { AuthenticationResponseJSON, RegistrationResponseJSON } from "@simplewebauthn/server";

/** What a challenge was made for: the domain of the passkeys, and the origins it may be answered at. */
export interface Expected {
  challenge: string;
  rp_id: string;
  origins: string[];
}

/** A credential as browsers are told of it. */
export interface Known {
  id: string;
  transports: string[];
}

/** What is kept of a credential. Binary values are base64url. */
export interface NewPasskey {
  credential_id: string;
  rp_id: string;
  public_key: string;
  counter: number;
  aaguid: string;
  synced: boolean;
  backed_up: boolean;
  transports: string[];
}

/** What verifying needs of what was kept. */
export type Kept = Pick<NewPasskey, "credential_id" | "public_key" | "synced"> & {
  /** What the owner's authenticators know them by. */
  handle: string;
};

/** ES256, EdDSA, RS256: what authenticators have, most wanted first. */
const algorithms = [-7, -8, -257];

/** Milliseconds: as long as a challenge is good for. */
const timeout = 300_000;

/** Loaded where a passkey is asked for: its certificate parsers are most of what the function is made of. */
const library = () => import("@simplewebauthn/server");

const described = ({ id, transports }: Known) => ({
  id,
  transports: transports as AuthenticatorTransport[],
});

/** Options of `navigator.credentials.create()`: discoverable, and only with the user verified. */
export async function creationOptions(
  { challenge, rp_id, rp_name, user, passkeys }: {
    challenge: string;
    rp_id: string;
    rp_name: string;
    user: { id: string; name: string; display_name: string };
    passkeys: Known[];
  },
) {
  const { generateRegistrationOptions } = await library();
  return await generateRegistrationOptions({
    rpID: rp_id,
    rpName: rp_name,
    challenge: bytesOf(challenge),
    userID: bytesOf(user.id),
    userName: user.name,
    userDisplayName: user.display_name,
    excludeCredentials: passkeys.map(described),
    authenticatorSelection: { residentKey: "required", userVerification: "required" },
    attestationType: "none",
    supportedAlgorithmIDs: algorithms,
    timeout,
  });
}

/** Options of `navigator.credentials.get()`; without `passkeys` the browser offers what it has. */
export async function requestOptions(
  { challenge, rp_id, passkeys }: { challenge: string; rp_id: string; passkeys?: Known[] },
) {
  const { generateAuthenticationOptions } = await library();
  return await generateAuthenticationOptions({
    rpID: rp_id,
    challenge: bytesOf(challenge),
    ...(passkeys && { allowCredentials: passkeys.map(described) }),
    userVerification: "required",
    timeout,
  });
}

/** The challenge that an answer says it is for; refuses what is no answer of a page of its own. */
export function challengeIn({ clientDataJSON }: { clientDataJSON: string }): string {
  try {
    const data = JSON.parse(Buffer.from(clientDataJSON, "base64url").toString());
    // Within a frame of somebody else's page people do not see what they agree to.
    if (data.crossOrigin === true || data.topOrigin !== undefined) throw new Error("in a frame");
    if (typeof data.challenge !== "string") throw new Error("no challenge");
    return data.challenge;
  } catch (cause) {
    return refuse(cause);
  }
}

/** What to keep of a new credential. Every flaw ends as `passkeys.refused`. */
export async function verifyRegistration(
  response: RegistrationResponseJSON,
  { challenge, rp_id, origins }: Expected,
): Promise<NewPasskey> {
  const { verifyRegistrationResponse } = await library();
  const { registrationInfo: info } = await verifyRegistrationResponse({
    response,
    expectedChallenge: challenge,
    expectedOrigin: origins,
    expectedRPID: rp_id,
    requireUserVerification: true,
    supportedAlgorithmIDs: algorithms,
  }).catch(refuse);
  if (!info) return refuse(new Error("the attestation does not hold"));
  const { id, publicKey, counter, transports } = info.credential;
  if (id !== response.id) refuse(new Error("the credential is another one"));
  return {
    credential_id: id,
    rp_id,
    public_key: Buffer.from(publicKey).toString("base64url"),
    counter,
    aaguid: info.aaguid,
    synced: info.credentialDeviceType === "multiDevice",
    backed_up: info.credentialBackedUp,
    transports: transports ?? [],
  };
}

/**
 * The counter and backup state that a credential shows. Whether the counter may be that is for the
 * database to say, which sees who else comes with it. Every flaw ends as `passkeys.refused`.
 */
export async function verifyAssertion(
  response: AuthenticationResponseJSON,
  { challenge, rp_id, origins }: Expected,
  { credential_id, public_key, synced, handle }: Kept,
): Promise<{ counter: number; backed_up: boolean }> {
  const { verifyAuthenticationResponse } = await library();
  const { verified, authenticationInfo: info } = await verifyAuthenticationResponse({
    response,
    expectedChallenge: challenge,
    expectedOrigin: origins,
    expectedRPID: rp_id,
    requireUserVerification: true,
    credential: { id: credential_id, publicKey: bytesOf(public_key), counter: 0 },
  }).catch(refuse);
  const { userHandle } = response.response;
  if (!verified) refuse(new Error("the signature does not hold"));
  if (response.id !== credential_id) refuse(new Error("the credential is another one"));
  if ((info.credentialDeviceType === "multiDevice") !== synced) refuse(new Error("it cannot sync"));
  if (userHandle && userHandle !== handle) refuse(new Error("the handle is somebody else's"));
  return { counter: info.newCounter, backed_up: info.credentialBackedUp };
}

/** Why it was refused helps nobody but an attacker; it is the cause, for our log alone. */
function refuse(cause: unknown): never {
  throw new ProblemError("passkeys.refused", { cause });
}

const bytesOf = (text: string) => new Uint8Array(Buffer.from(text, "base64url"));
