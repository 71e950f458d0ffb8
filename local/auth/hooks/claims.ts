import { isObject, type Json } from "../body.ts";
import { AuthError } from "../errors.ts";

type Kind = "string" | "integer" | "number" | "boolean" | "object" | "array" | "null";

/** GoTrue's minimum of an access token: the types of its own claims, whatever a hook adds. */
const types: Record<string, Kind[]> = {
  aud: ["string", "array"],
  exp: ["integer"],
  jti: ["string"],
  iat: ["integer"],
  iss: ["string"],
  nbf: ["integer"],
  sub: ["string"],
  email: ["string"],
  phone: ["string"],
  app_metadata: ["object"],
  user_metadata: ["object"],
  role: ["string"],
  aal: ["string"],
  amr: ["array"],
  session_id: ["string"],
  client_id: ["string"],
};

const required = [
  "aud",
  "exp",
  "iat",
  "sub",
  "email",
  "phone",
  "role",
  "aal",
  "session_id",
  "is_anonymous",
];

/** The claims of a hook's answer; throws when no usable token could carry them. */
export function requireClaims(output: unknown): Json {
  const claims = isObject(output) ? output.claims : undefined;
  if (!isObject(claims)) throw unusable("output claims field is missing");
  const problems = [
    ...required.filter((name) => !(name in claims)).map((name) => `(root): ${name} is required`),
    ...Object.entries(types)
      .filter(([name, kinds]) => name in claims && !kinds.includes(kindOf(claims[name])))
      .map(([name, kinds]) =>
        `${name}: Invalid type. Expected: ${kinds.join("/")}, given: ${kindOf(claims[name])}`
      ),
  ];
  if (problems.length === 0) return claims;
  const list = problems.map((problem) => `- ${problem}\n`).join("");
  throw unusable(`output claims do not conform to the expected schema: \n${list}`);
}

function kindOf(value: unknown): Kind {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (Number.isInteger(value)) return "integer";
  return typeof value as Kind;
}

const unusable = (message: string) => new AuthError(500, "unexpected_failure", message);
