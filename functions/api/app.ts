import { application } from "shared/http/application.ts";
import { serveOpenApi } from "shared/http/openapi.ts";
import type { Services } from "shared/services.ts";
import { admin } from "./routes/admin.ts";
import { impersonation } from "./routes/admin_impersonation.ts";
import { accounts } from "./routes/accounts.ts";
import { accountsMe } from "./routes/accounts_me.ts";
import { accountsSessions } from "./routes/accounts_sessions.ts";
import { apple } from "./routes/apple.ts";
import { apiKeys } from "./routes/api_keys.ts";
import { audit } from "./routes/audit.ts";
import { documents } from "./routes/documents.ts";
import { documentsReview } from "./routes/documents_review.ts";
import { deviceCodes } from "./routes/device_codes.ts";
import { events } from "./routes/events.ts";
import { files } from "./routes/files.ts";
import { health } from "./routes/health.ts";
import { metrics } from "./routes/metrics.ts";
import { newsletters } from "./routes/newsletters.ts";
import { notifications } from "./routes/notifications.ts";
import { passkeys } from "./routes/passkeys.ts";
import { people } from "./routes/people.ts";
import { push } from "./routes/push.ts";
import { sessions } from "./routes/sessions.ts";
import { tenants } from "./routes/tenants.ts";
import { twoFactor } from "./routes/two_factor.ts";
import { wallet } from "./routes/wallet.ts";

/** The whole function, from the services it works with: tests pass their own. */
export function createApp(services: Services) {
  const app = application(services);
  app.route("/api/health", health);
  app.route("/api/metrics", metrics);
  app.route("/api/v1/uploads", files);
  app.route("/api/v1/tenants", tenants);
  app.route("/api/v1/users", people);
  app.route("/api/v1/admin", admin);
  app.route("/api/v1/admin", impersonation);
  app.route("/api/v1/users", accountsMe);
  app.route("/api/v1/auth", accounts);
  app.route("/api/v1/auth", accountsSessions);
  app.route("/api/v1/admin", audit);
  app.route("/api/v1/sessions", sessions);
  app.route("/api/v1/admin/documents", documentsReview);
  app.route("/api/v1/documents", documents);
  app.route("/api/v1/auth/device", deviceCodes);
  app.route("/api/v1/api-keys", apiKeys);
  app.route("/api/v1/2fa", twoFactor);
  app.route("/api/v1/newsletters", newsletters);
  app.route("/api/v1/notifications", notifications);
  app.route("/api/v1/push", push);
  app.route("/api/v1/passkeys", passkeys);
  app.route("/api/v1/auth/oauth/apple", apple);
  app.route("/api/v1/wallet", wallet);
  app.route("/api/v1/events", events);
  serveOpenApi(app, {
    prefix: "/api",
    title: "Nexus API",
    description: "What needs more than the Data API: every refusal is problem+json, and its " +
      "`code` is the one thing to decide on. Times are ISO 8601 UTC, amounts integers. Requests are " +
      "limited by person, or by address without one: `RateLimit-*` headers say what is left, " +
      "`Retry-After` when to come back.",
    tags: {
      accounts: "From registering to leaving: sessions, passwords, addresses, providers",
      events: "Calendars for programs; the acts of people are RPCs",
      files: "Pictures and documents that people upload",
      admin: "Members, for who manages them",
      documents: "Papers that people show, and those who check them",
      audit: "Who did what, for those who may know",
      operations: "Health and figures of the service, and this document",
      tenants: "The communities one belongs to",
      people: "The person behind the session",
      api_keys: "What programs of one's own sign in with",
      device_codes: "Signing in on what has no keyboard (RFC 8628)",
      sessions: "Where one is signed in",
      two_factor: "Codes of an authenticator app, and what a session has proved",
      newsletters: "A look at newsletters, and the links in them; writing and sending are RPCs",
      notifications: "The setting behind a mail; the acts of people who are signed in are RPCs",
      push: "Browsers and apps that want to be told",
      apple: "Signing in with Apple",
      passkeys: "Signing in, and a second factor, without a password",
      wallet: "Statements and batches as files; the acts themselves are RPCs",
    },
  });
  return app;
}
