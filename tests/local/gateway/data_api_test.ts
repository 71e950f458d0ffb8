import assert from "node:assert/strict";
import { exportJWK, generateKeyPair, importJWK, type JWTPayload, jwtVerify, SignJWT } from "jose";
import { signToken } from "../../../local/tokens.ts";
import { until } from "../../support/wait.ts";
import { answer, type Door, internalSecret, type Seen, withDoor } from "./fixture.ts";

const now = () => Math.floor(Date.now() / 1000);
const person = () => ({ sub: crypto.randomUUID(), role: "authenticated", exp: now() + 60 });

/** The claims the Data API is given for a request with these credentials. */
async function claimsGiven(door: Door, headers: Record<string, string>): Promise<JWTPayload> {
  const response = await door.call("/rest/v1/things", { headers });
  assert.equal(response.status, 200);
  const seen: Seen = await response.json();
  assert.equal(seen.headers.apikey, undefined, "the Data API must not see the project's keys");
  const token = seen.headers.authorization!.replace("Bearer ", "");
  const secret = new TextEncoder().encode(internalSecret);
  return (await jwtVerify(token, secret, { algorithms: ["HS256"] })).payload;
}

async function refusal(door: Door, token: string) {
  const headers = { apikey: door.keys.publishable, authorization: `Bearer ${token}` };
  const response = await door.call("/rest/v1/things", { headers });
  const [status, body] = await answer(response);
  const { code, message } = body as Record<string, unknown>;
  assert.match(response.headers.get("www-authenticate")!, /^Bearer error="invalid_token"/);
  return [status, code, message];
}

Deno.test("a key alone, or repeated as bearer, gives its role", async () => {
  await withDoor(async (door) => {
    const { publishable, secret, anon, serviceRole } = door.keys;
    const roles = { [publishable]: "anon", [anon]: "anon", [secret]: "service_role" };
    for (const [apikey, role] of Object.entries({ ...roles, [serviceRole]: "service_role" })) {
      assert.equal((await claimsGiven(door, { apikey })).role, role);
      const authorization = `Bearer ${apikey}`;
      assert.equal((await claimsGiven(door, { apikey, authorization })).role, role);
    }
  });
});

Deno.test("a person's token keeps its claims, also beside the secret key", async () => {
  await withDoor(async (door) => {
    const claims = { ...person(), session_id: crypto.randomUUID(), app_metadata: { a: [1] } };
    const authorization = `Bearer ${await signToken(door.keys, claims)}`;
    for (const apikey of [door.keys.publishable, door.keys.secret]) {
      assert.deepEqual(await claimsGiven(door, { apikey, authorization }), claims);
    }
  });
});

Deno.test("a token without a role is anonymous, even beside the secret key", async () => {
  await withDoor(async (door) => {
    const apikey = door.keys.secret;
    const token = await signToken(door.keys, { exp: now() + 60 });
    const given = await claimsGiven(door, { apikey, authorization: `Bearer ${token}` });
    assert.equal(given.role, "anon");
  });
});

Deno.test("a token that was good is refused as soon as it has expired", async () => {
  await withDoor(async (door) => {
    const token = await signToken(door.keys, { ...person(), exp: now() + 2 });
    const headers = { apikey: door.keys.publishable, authorization: `Bearer ${token}` };
    const statuses = new Set<number>();
    await until(async () => {
      const response = await door.call("/rest/v1/things", { headers });
      await response.body?.cancel();
      return statuses.add(response.status).has(401);
    });
    assert.deepEqual([...statuses], [200, 401]);
  });
});

Deno.test("forged and worn-out tokens are refused as PostgREST refuses them", async (t) => {
  await withDoor(async (door) => {
    const { keys } = door;
    const encode = (value: unknown) =>
      btoa(JSON.stringify(value)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
    const noKey = [401, "PGRST301", "No suitable key or wrong key type"];

    await t.step("expired", async () => {
      const token = await signToken(keys, { ...person(), exp: now() - 60 });
      assert.deepEqual(await refusal(door, token), [401, "PGRST303", "JWT expired"]);
    });
    await t.step("not yet valid", async () => {
      const token = await signToken(keys, { ...person(), nbf: now() + 600 });
      assert.deepEqual(await refusal(door, token), [401, "PGRST303", "JWT not yet valid"]);
    });
    await t.step("no token at all", async () => {
      assert.deepEqual(await refusal(door, "nonsense"), [
        401,
        "PGRST301",
        "Expected 3 parts in JWT; got 1",
      ]);
    });
    await t.step("alg none", async () => {
      const token = `${encode({ alg: "none", typ: "JWT" })}.${encode(person())}.`;
      assert.deepEqual(await refusal(door, token), [
        401,
        "PGRST301",
        "Wrong or unsupported encoding algorithm",
      ]);
    });
    await t.step("HS256 with the public key as secret", async () => {
      const { d: _private, ...open } = keys.signing;
      const secret = new TextEncoder().encode(JSON.stringify(open));
      const token = await new SignJWT(person())
        .setProtectedHeader({ alg: "HS256", kid: keys.signing.kid }).sign(secret);
      assert.deepEqual(await refusal(door, token), [
        401,
        "PGRST301",
        "Wrong or unsupported encoding algorithm",
      ]);
    });
    await t.step("HS256 with the internal secret, guessed or leaked", async () => {
      const token = await new SignJWT(person()).setProtectedHeader({ alg: "HS256" })
        .sign(new TextEncoder().encode(internalSecret));
      assert.equal((await refusal(door, token))[0], 401);
    });
    await t.step("another key under our kid", async () => {
      const { privateKey } = await generateKeyPair("ES256", { extractable: true });
      const jwk = await exportJWK(privateKey);
      const token = await new SignJWT(person())
        .setProtectedHeader({ alg: "ES256", kid: keys.signing.kid })
        .sign(await importJWK(jwk, "ES256"));
      assert.deepEqual(await refusal(door, token), noKey);
    });
    await t.step("a kid nobody knows", async () => {
      const token = await new SignJWT(person())
        .setProtectedHeader({ alg: "ES256", kid: "../../etc/passwd" })
        .sign(await importJWK(keys.signing, "ES256"));
      assert.deepEqual(await refusal(door, token), noKey);
    });
    await t.step("claims changed under a good signature", async () => {
      const token = await signToken(keys, person());
      const [header, , signature] = token.split(".");
      const forged = encode({ ...person(), role: "service_role" });
      assert.deepEqual(await refusal(door, `${header}.${forged}.${signature}`), noKey);
    });
  });
});

Deno.test("with a shared secret, tokens signed by it are good, and no others of HS256", async () => {
  const jwtSecret = "a shared secret of at least thirty-two characters";
  await withDoor(async (door) => {
    const sign = (secret: string) =>
      new SignJWT(person()).setProtectedHeader({ alg: "HS256", typ: "JWT" })
        .sign(new TextEncoder().encode(secret));
    const apikey = door.keys.publishable;
    const authorization = `Bearer ${await sign(jwtSecret)}`;
    assert.equal((await claimsGiven(door, { apikey, authorization })).role, "authenticated");
    assert.equal((await refusal(door, await sign("another secret")))[0], 401);
  }, { jwtSecret });
});
