import { publicJwks } from "../keys.ts";
import type { Auth } from "./auth.ts";
import type { Json } from "./body.ts";

const cached = { "cache-control": "public, max-age=600" };

/** The keys that access tokens are verified with. */
export const jwks = ({ keys }: Auth): Response =>
  Response.json(publicJwks(keys), { headers: cached });

export const openIdConfiguration = ({ keys: { issuer } }: Auth): Response =>
  Response.json({
    issuer,
    authorization_endpoint: `${issuer}/oauth/authorize`,
    token_endpoint: `${issuer}/oauth/token`,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    userinfo_endpoint: `${issuer}/oauth/userinfo`,
    response_types_supported: ["code"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["ES256"],
  }, { headers: cached });

export const health = (): Json => ({
  version: "local",
  name: "GoTrue",
  description: "GoTrue is a user registration and authentication API",
});

const providers = [
  "apple",
  "azure",
  "bitbucket",
  "discord",
  "facebook",
  "figma",
  "fly",
  "github",
  "gitlab",
  "google",
  "kakao",
  "keycloak",
  "linkedin",
  "linkedin_oidc",
  "notion",
  "slack",
  "slack_oidc",
  "spotify",
  "twitch",
  "twitter",
  "workos",
  "x",
  "zoom",
];

/** What a sign-in page may offer. */
export const settings = ({ config }: Auth): Json => ({
  external: {
    anonymous_users: config.anonymousEnabled,
    ...Object.fromEntries(providers.map((provider) => [provider, false])),
    email: true,
    phone: false,
  },
  disable_signup: !config.signupEnabled,
  mailer_autoconfirm: !config.confirmationsEnabled,
  phone_autoconfirm: false,
  sms_provider: "",
  saml_enabled: false,
});
