import { createRoute, z } from "@hono/zod-openapi";
import { AuthRefusal } from "shared/auth/auth_server.ts";
import { emailAddress } from "shared/auth/email_address.ts";
import { inTenant, signedIn } from "shared/auth/signed_in.ts";
import { problems, signedInErrors } from "shared/errors/openapi.ts";
import { ProblemError } from "shared/errors/problem.ts";
import { createStore } from "shared/files/store.ts";
import { keepUpload } from "shared/files/upload.ts";
import { bodyUpTo } from "shared/http/declared.ts";
import { formOnly } from "shared/http/forms.ts";
import { lenient } from "shared/http/limits.ts";
import { bySession } from "shared/http/openapi.ts";
import { originOf } from "shared/http/origin.ts";
import { router } from "shared/http/router.ts";
import { noSooner } from "shared/http/steady.ts";
import { accountDoors, countMove, refused } from "../accounts.ts";
import { body, bodyErrors } from "./accounts_schemas.ts";
import { bodyLimit, TenantHeader, uploadErrors, uploads } from "./files.ts";

const stepUpErrors = [
  "accounts.reauthentication_required",
  "two_factor.recent_required",
] as const;

/** Milliseconds: longer than Auth needs to hand over both mails, which a known address does not get. */
const moving = 750;

const moment = z.iso.datetime({ offset: true });

const Deletion = z.object({
  deletion_due_at: moment.openapi({ description: "Signing in before that keeps the account" }),
}).openapi("Deletion");

const Provider = z.object({
  id: z.uuid(),
  provider: z.string().openapi({ example: "google" }),
  email: z.string().nullable(),
  created_at: moment.nullable(),
  last_used_at: moment.nullable(),
}).openapi("Provider");

const Avatar = z.object({
  avatar_url: z.url().nullable().openapi({ description: "Null while a reviewer looks at it" }),
  file: z.object({ id: z.uuid(), width: z.int().nullable(), height: z.int().nullable() }),
}).openapi("Avatar");

const AvatarForm = z.object({
  file: z.instanceof(File).openapi({ type: "string", format: "binary" }),
}).openapi("AvatarForm");

const common = { tags: ["accounts"], security: bySession };

const requestDeletion = createRoute({
  ...common,
  method: "delete",
  path: "/me",
  operationId: "deleteMe",
  summary: "Have my account erased in thirty days",
  description:
    "Wants a proof of five minutes at most. Ends the other sessions. Until then signing " +
    "in, or the RPC `accounts_cancel_deletion`, keeps the account.",
  middleware: [signedIn] as const,
  responses: {
    202: {
      description: "The thirty days have begun",
      content: { "application/json": { schema: Deletion } },
    },
    ...problems("members.last_owner", ...stepUpErrors, ...signedInErrors),
  },
});

const changeAddress = createRoute({
  ...common,
  method: "post",
  path: "/me/email",
  operationId: "changeEmail",
  summary: "Have my account moved to another address",
  description:
    "Wants a proof of five minutes at most. Both addresses confirm by mail, and the old " +
    "one is told when it is done. Answers alike for an address that has an account. Once a minute.",
  middleware: [signedIn] as const,
  request: body(z.strictObject({ email: emailAddress() }).openapi("EmailChange")),
  responses: {
    202: { description: "Both addresses have mail" },
    ...problems(...stepUpErrors, ...bodyErrors, ...signedInErrors),
  },
});

const setAvatar = createRoute({
  ...common,
  method: "post",
  path: "/me/avatar",
  operationId: "setAvatar",
  summary: "Upload my picture, and show it everywhere",
  description: "Taken as an upload into `avatars` of the tenant; the picture before goes.",
  middleware: [uploads, lenient, bodyUpTo(bodyLimit), signedIn, inTenant, formOnly] as const,
  request: {
    headers: TenantHeader,
    body: { required: true, content: { "multipart/form-data": { schema: AvatarForm } } },
  },
  responses: {
    201: { description: "It is kept", content: { "application/json": { schema: Avatar } } },
    ...problems(...uploadErrors),
  },
});

const listProviders = createRoute({
  ...common,
  method: "get",
  path: "/me/providers",
  operationId: "listProviders",
  summary: "By which providers I sign in",
  middleware: [signedIn] as const,
  responses: {
    200: {
      description: "The providers; `email` is an address with a password",
      content: {
        "application/json": {
          schema: z.object({ data: z.array(Provider), next_cursor: z.null() }),
        },
      },
    },
    ...problems(...signedInErrors),
  },
});

const unlink = createRoute({
  ...common,
  method: "delete",
  path: "/me/providers/{id}",
  operationId: "unlinkProvider",
  summary: "Sign in by a provider no longer",
  description: "Wants a proof of five minutes at most. The last one stays.",
  middleware: [signedIn] as const,
  request: { params: z.object({ id: z.uuid() }) },
  responses: {
    204: { description: "It opens nothing any more" },
    ...problems(
      "accounts.last_provider",
      "accounts.provider_not_found",
      "request.invalid",
      ...stepUpErrors,
      ...signedInErrors,
    ),
  },
});

export const accountsMe = router();

accountsMe.openapi(requestDeletion, async (c) => {
  const person = await c.var.database.rpc("accounts_request_deletion");
  return c.json(Deletion.parse(person), 202);
});

accountsMe.openapi(changeAddress, async (c) => {
  const { caller, database } = c.var;
  await database.rpc("accounts_caller", { recently_proved: true });
  const doors = accountDoors(c.req, c.var);
  await countMove(doors, caller.personId);
  const ask = () => doors.auth.updateSelf(caller.token, c.req.valid("json"));
  await noSooner(moving, ask).catch((error) => {
    // Who has the address is nobody's business.
    if (!(error instanceof AuthRefusal && error.code === "email_exists")) throw refused(error);
  });
  return c.body(null, 202);
});

accountsMe.openapi(setAvatar, async (c) => {
  const { file } = c.req.valid("form");
  const { caller, database, tenant, services } = c.var;
  const asService = services.database.asService(originOf(c.req, c.var));
  const store = createStore(services.config);
  const kept = await keepUpload({ asCaller: database, asService, store }, {
    tenantId: tenant.id,
    bucket: "avatars",
    name: file.name,
    bytes: new Uint8Array(await file.arrayBuffer()),
  });
  // Where it will lie once a reviewer let it go, if it does not yet.
  const url = store.publicUrl("avatars", kept.webp?.path ?? kept.path);
  const shown = await asService.rpc<boolean>("accounts_set_avatar", {
    tenant_id: tenant.id,
    person: caller.personId,
    file: kept.id,
    url,
  });
  const { id, width, height } = kept;
  return c.json({ avatar_url: shown ? url : null, file: { id, width, height } }, 201);
});

accountsMe.openapi(listProviders, async (c) => {
  const data = await c.var.database.rpc<z.infer<typeof Provider>[]>("accounts_providers");
  return c.json({ data, next_cursor: null }, 200);
});

accountsMe.openapi(unlink, async (c) => {
  const { caller, database } = c.var;
  const { id } = c.req.valid("param");
  // Asks for the proof, whosever it is.
  if (await database.rpc("apple_unlink", { identity: id })) return c.body(null, 204);
  const { auth } = accountDoors(c.req, c.var);
  await auth.unlink(caller.token, id).catch((error) => {
    throw unlinkRefusals[error.code]
      ? new ProblemError(unlinkRefusals[error.code]!)
      : refused(error);
  });
  return c.body(null, 204);
});

const unlinkRefusals: Record<string, "accounts.last_provider" | "accounts.provider_not_found"> = {
  identity_not_found: "accounts.provider_not_found",
  single_identity_not_deletable: "accounts.last_provider",
};
