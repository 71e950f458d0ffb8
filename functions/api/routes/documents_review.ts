import { createRoute, z } from "@hono/zod-openapi";
import { inTenant, signedIn } from "shared/auth/signed_in.ts";
import { inTenantErrors, problems, signedInErrors } from "shared/errors/openapi.ts";
import { createStore } from "shared/files/store.ts";
import type { InTenant } from "shared/http/env.ts";
import { bySession } from "shared/http/openapi.ts";
import { listOf, pageQuery } from "shared/http/paging.ts";
import { router } from "shared/http/router.ts";
import { text } from "shared/http/schemas.ts";
import { Document } from "../documents.ts";
import { Link } from "./files.ts";

const moment = z.iso.datetime({ offset: true });

const Entry = Document.extend({
  display_name: z.string(),
  waiting_seconds: z.int().nullable().openapi({ description: "Null once it is decided" }),
  stated: z.object({ name: z.string().optional(), birth_date: z.string().optional() }).nullable(),
  file_id: z.uuid().nullable().openapi({
    description: "Of the scan, which `POST …/{id}/scan` opens; null once it is gone",
  }),
  content_type: z.string().nullable(),
  size: z.int().nullable(),
  reviewer: z.uuid().nullable().openapi({ description: "Who has it in hand" }),
  claimed_until: moment.nullable(),
  first_approver: z.uuid().nullable().openapi({ description: "Where two have to approve" }),
}).openapi("DocumentEntry");

const common = {
  tags: ["documents"],
  security: bySession,
  middleware: [signedIn, inTenant] as [typeof signedIn, typeof inTenant],
};

const errors = [
  "members.permission_denied",
  "tenants.module_off",
  ...inTenantErrors,
  ...signedInErrors,
] as const;

const decided = {
  200: { description: "The document", content: { "application/json": { schema: Document } } },
};

const decisionErrors = [
  "documents.not_found",
  "documents.own_document",
  "documents.claimed",
  "documents.second_reviewer_needed",
  "auth.impersonated",
  "request.transition_refused",
  "request.invalid",
  ...errors,
] as const;

const bodyErrors = ["request.too_large", "request.unsupported_media_type"] as const;

const params = z.object({ id: z.uuid() });

/** Long enough to load a picture, short enough for the trail to say who saw it. */
const scanSeconds = 300;

const body = <T extends z.ZodType>(schema: T) => ({
  params,
  body: { required: true, content: { "application/json": { schema } } },
});

const Reason = z.strictObject({
  reason: text(500).openapi({ description: "The person is told" }),
}).openapi("DocumentReason");

const Approval = z.strictObject({
  expires_at: moment.optional().openapi({ description: "Where the document itself runs out" }),
  matched: z.array(z.enum(["name", "birth_date"])).optional().openapi({
    description: "What of `stated` stands in the document",
  }),
}).openapi("DocumentApproval");

const list = createRoute({
  ...common,
  method: "get",
  path: "/",
  operationId: "listDocuments",
  summary: "Documents to check, the longest waiting first",
  description: "Permission `documents.review`.",
  request: {
    query: pageQuery.extend({
      status: z.enum(["open", ...Document.shape.status.options]).default("open")
        .openapi({ description: "open: whatever waits for a decision" }),
      type: z.string().max(31).optional(),
      person: z.uuid().optional(),
      claimed: z.enum(["me", "nobody", "others"]).optional(),
    }),
  },
  responses: {
    200: {
      description: "A page",
      content: { "application/json": { schema: listOf(Entry) } },
    },
    ...problems("request.invalid", ...errors),
  },
});

const claim = createRoute({
  ...common,
  method: "post",
  path: "/{id}/claim",
  operationId: "claimDocument",
  summary: "Take a document to check, for 30 minutes",
  request: { params },
  responses: { ...decided, ...problems(...decisionErrors) },
});

const scan = createRoute({
  ...common,
  method: "post",
  path: "/{id}/scan",
  operationId: "openDocumentScan",
  summary: "A URL that opens the scan for five minutes",
  description: "Permission `documents.review`. The trail names who opened it.",
  request: { params },
  responses: {
    200: { description: "The URL", content: { "application/json": { schema: Link } } },
    ...problems(
      "auth.impersonated",
      "documents.not_found",
      "files.not_found",
      "request.invalid",
      ...errors,
    ),
  },
});

const release = createRoute({
  ...common,
  method: "post",
  path: "/{id}/release",
  operationId: "releaseDocument",
  summary: "Lay a document back",
  request: { params },
  responses: {
    ...decided,
    ...problems("documents.not_found", "request.transition_refused", "request.invalid", ...errors),
  },
});

const approve = createRoute({
  ...common,
  method: "post",
  path: "/{id}/approve",
  operationId: "approveDocument",
  summary: "Approve a document",
  description: "Where the type wants two reviewers, the first approval lays it back for the " +
    "second. The last approval that an applicant lacks makes them a member, in the same " +
    "transaction. Takes the document where nobody has it.",
  request: body(Approval),
  responses: {
    ...decided,
    ...problems(
      "documents.file_missing",
      "documents.match_needed",
      ...decisionErrors,
      ...bodyErrors,
    ),
  },
});

const reject = createRoute({
  ...common,
  method: "post",
  path: "/{id}/reject",
  operationId: "rejectDocument",
  summary: "Refuse a document",
  request: body(Reason),
  responses: { ...decided, ...problems(...decisionErrors, ...bodyErrors) },
});

const requestResubmission = createRoute({
  ...common,
  method: "post",
  path: "/{id}/request-resubmission",
  operationId: "requestDocumentResubmission",
  summary: "Ask for a better scan",
  request: body(Reason),
  responses: {
    ...decided,
    ...problems("documents.submissions_exhausted", ...decisionErrors, ...bodyErrors),
  },
});

export const documentsReview = router();

type Found = z.input<typeof Entry> & { cursor: string };

documentsReview.openapi(list, async (c) => {
  const { limit, ...asked } = c.req.valid("query");
  const found = await c.var.database.rpc<Found[]>("documents_queue", {
    ...asked,
    tenant_id: c.var.tenant.id,
    page_size: limit,
  });
  const next_cursor = found.length === limit ? found.at(-1)?.cursor ?? null : null;
  return c.json({ data: found.map((entry) => Entry.parse(entry)), next_cursor }, 200);
});

/** Calls the RPC that decides, on the document of the path. */
async function decide(
  { var: { database, tenant } }: { var: InTenant["Variables"] },
  document: string,
  name: string,
  decision: Record<string, unknown> = {},
) {
  return Document.parse(await database.rpc(name, { tenant_id: tenant.id, document, ...decision }));
}

documentsReview.openapi(
  claim,
  async (c) => c.json(await decide(c, c.req.valid("param").id, "documents_claim"), 200),
);
documentsReview.openapi(scan, async (c) => {
  const { bucket, path } = await c.var.database.rpc<{ bucket: string; path: string }>(
    "documents_open",
    { tenant_id: c.var.tenant.id, document: c.req.valid("param").id },
  );
  // With the secret key: the database has just said that this caller may, and noted it.
  const url = await createStore(c.var.services.config).sign(bucket, path, scanSeconds);
  return c.json({ url, expires_at: new Date(Date.now() + scanSeconds * 1000).toISOString() }, 200);
});
documentsReview.openapi(
  release,
  async (c) => c.json(await decide(c, c.req.valid("param").id, "documents_release"), 200),
);
documentsReview.openapi(approve, async (c) => {
  const approval = c.req.valid("json");
  return c.json(await decide(c, c.req.valid("param").id, "documents_approve", approval), 200);
});
documentsReview.openapi(reject, async (c) => {
  const reason = c.req.valid("json");
  return c.json(await decide(c, c.req.valid("param").id, "documents_reject", reason), 200);
});
documentsReview.openapi(requestResubmission, async (c) => {
  const reason = c.req.valid("json");
  const name = "documents_request_resubmission";
  return c.json(await decide(c, c.req.valid("param").id, name, reason), 200);
});
