import {
  type AuthenticationResponseJSON,
  type RegistrationResponseJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from "@simplewebauthn/server";
import assert from "node:assert/strict";
import { ProblemError } from "shared/errors/problem.ts";
import { challengeIn, verifyAssertion, verifyRegistration } from "shared/auth/passkeys.ts";
import vectors from "./w3c_vectors.json" with { type: "json" };

/**
 * The examples of Web Authentication Level 3, section "Test Vectors": made from a published seed, so
 * nobody of ours, or of the library's, had a hand in them. Binary values are base64url.
 */
type Vector = (typeof vectors)[number];

const origin = "https://example.org";
const rpId = "example.org";

const credentialOf = ({ credential }: Vector) => ({
  id: credential,
  rawId: credential,
  type: "public-key" as const,
  clientExtensionResults: {},
});

const registrationOf = (vector: Vector): RegistrationResponseJSON => ({
  ...credentialOf(vector),
  response: vector.registration,
});

const assertionOf = (vector: Vector): AuthenticationResponseJSON => ({
  ...credentialOf(vector),
  response: vector.authentication,
});

/** ES256, EdDSA, RS256, ES384, ES512, Ed448: every kind of key among the examples. */
const algorithms = [-7, -8, -257, -35, -36, -53];

/** What the library makes of an example when it is asked for nothing beyond its signatures. */
async function ofTheLibrary(vector: Vector): Promise<string> {
  try {
    const { registrationInfo } = await verifyRegistrationResponse({
      response: registrationOf(vector),
      expectedChallenge: vector.registration.challenge,
      expectedOrigin: origin,
      expectedRPID: rpId,
      requireUserVerification: false,
      supportedAlgorithmIDs: algorithms,
    });
    const { verified } = await verifyAuthenticationResponse({
      response: assertionOf(vector),
      expectedChallenge: vector.authentication.challenge,
      expectedOrigin: origin,
      expectedRPID: rpId,
      expectedTopOrigin: "https://example.com",
      requireUserVerification: false,
      credential: registrationInfo!.credential,
    });
    return verified ? "accepted" : "signature refused";
  } catch (error) {
    return (error as Error).message;
  }
}

/** What we make of both ceremonies of an example: the cause where one is refused. */
async function ofOurs(vector: Vector): Promise<[string, string]> {
  const expected = { rp_id: rpId, origins: [origin] };
  const verdict = async (work: () => Promise<unknown>) => {
    try {
      await work();
      return "accepted";
    } catch (error) {
      assert.ok(error instanceof ProblemError && error.code === "passkeys.refused");
      return (error.cause as Error).message;
    }
  };
  const keys = await verifyRegistrationResponse({
    response: registrationOf(vector),
    expectedChallenge: vector.registration.challenge,
    expectedOrigin: origin,
    requireUserVerification: false,
    supportedAlgorithmIDs: algorithms,
  });
  const { credential, credentialDeviceType } = keys.registrationInfo!;
  const registration = await verdict(() =>
    verifyRegistration(registrationOf(vector), {
      ...expected,
      challenge: challengeIn(vector.registration),
    })
  );
  const kept = {
    credential_id: vector.credential,
    public_key: credential.publicKey.toBase64({ alphabet: "base64url", omitPadding: true }),
    synced: credentialDeviceType === "multiDevice",
    handle: "",
  };
  const authentication = await verdict(() =>
    verifyAssertion(
      assertionOf(vector),
      { ...expected, challenge: challengeIn(vector.authentication) },
      kept,
    )
  );
  return [registration, authentication];
}

const accepted = [
  "none.ES256",
  "packed-self.ES256",
  "none.ES256.crossOrigin",
  "none.ES256.topOrigin",
  "none.ES256.long-credential-id",
  "packed.ES256",
  "packed.ES384",
  "packed.ES512",
  "packed.RS256",
  "packed.EdDSA",
];

/** The library's own limits, so that an update that moves one is seen. */
const refused: Record<string, RegExp> = {
  "packed.Ed448": /invalid alg -53/,
  "tpm.ES256": /TPM manufacturer/,
  "android-key.ES256": /KeyDescription/,
  "apple.ES256": /trust anchor/,
  "fido-u2f.ES256": /AAGUID/,
};

Deno.test("A15: of the fifteen W3C vectors the library verifies ten, and refuses the rest for what they are", async (t) => {
  assert.deepEqual(
    vectors.map(({ name }) => name).sort(),
    [...accepted, ...Object.keys(refused)].sort(),
  );
  for (const vector of vectors) {
    await t.step(vector.name, async () => {
      const verdict = await ofTheLibrary(vector);
      const reason = refused[vector.name];
      if (reason) assert.match(verdict, reason);
      else assert.equal(verdict, "accepted");
    });
  }
});

const unverified = /[Uu]ser verification(?: was)? required/;
const stranger = /Unexpected public key alg/;

/** Registration and authentication: what we ask for besides is a verified user and a usual key. */
const ours: Record<string, [RegExp | undefined, RegExp | undefined]> = {
  "none.ES256": [unverified, unverified],
  "packed-self.ES256": [undefined, unverified],
  "none.ES256.long-credential-id": [unverified, undefined],
  "packed.ES256": [undefined, undefined],
  "packed.ES384": [unverified, undefined],
  "packed.ES512": [stranger, unverified],
  "packed.RS256": [undefined, unverified],
  "packed.EdDSA": [unverified, unverified],
};

Deno.test("A15: of what holds we take what was made with the user verified, by keys of kinds we ask for", async (t) => {
  for (const [name, expected] of Object.entries(ours)) {
    await t.step(name, async () => {
      const verdicts = await ofOurs(vectors.find((vector) => vector.name === name)!);
      for (const [index, reason] of expected.entries()) {
        if (reason) assert.match(verdicts[index]!, reason);
        else assert.equal(verdicts[index], "accepted");
      }
    });
  }
});

Deno.test("what was answered in a frame is refused before anything else", async (t) => {
  for (const name of ["none.ES256.crossOrigin", "none.ES256.topOrigin"]) {
    await t.step(name, () => {
      const { registration, authentication } = vectors.find((vector) => vector.name === name)!;
      for (const response of [registration, authentication]) {
        assert.throws(() => challengeIn(response), { code: "passkeys.refused" });
      }
    });
  }
});

Deno.test("an answer changed in one byte is refused", async () => {
  const vector = vectors.find(({ name }) => name === "packed.ES256")!;
  const { response } = assertionOf(vector);
  const signature = Uint8Array.fromBase64(response.signature, { alphabet: "base64url" });
  signature[signature.length - 1]! ^= 1;
  const changed: Vector = {
    ...vector,
    authentication: {
      ...vector.authentication,
      signature: signature.toBase64({ alphabet: "base64url", omitPadding: true }),
    },
  };
  const [, verdict] = await ofOurs(changed);
  assert.notEqual(verdict, "accepted");
});
