import { createRoute, z } from "@hono/zod-openapi";
import { signedIn } from "shared/auth/signed_in.ts";
import { problems } from "shared/errors/openapi.ts";
import { createStore } from "shared/files/store.ts";
import { takeUpload } from "shared/files/upload.ts";
import { bodyUpTo } from "shared/http/declared.ts";
import { formOnly } from "shared/http/forms.ts";
import { lenient } from "shared/http/limits.ts";
import { bySession } from "shared/http/openapi.ts";
import { originOf } from "shared/http/origin.ts";
import { router } from "shared/http/router.ts";
import { text } from "shared/http/schemas.ts";
import { Document } from "../documents.ts";
import { bodyLimit, TenantHeader, uploadErrors, uploads } from "./files.ts";

const Submission = z.object({
  type: z.string().max(31).openapi({ example: "student_id" }),
  file: z.instanceof(File).openapi({ type: "string", format: "binary" }),
  stated_name: text(120).optional().openapi({
    description: "The name in the document, where the type has it confirmed",
  }),
  birth_date: z.iso.date().optional().openapi({
    description: "The date of birth in it, where the type has it confirmed",
  }),
}).openapi("DocumentSubmission");

const submit = createRoute({
  method: "post",
  path: "/",
  operationId: "submitDocument",
  summary: "Hand in a document to be checked, or again where a better scan is wanted",
  description: "PDF, JPEG, PNG, GIF or WebP up to 10 MiB. Applicants whose membership waits for " +
    "it may, too: the last required approval admits them. Reviewers see it, and nobody else. What " +
    "is wanted and where it stands tells the RPC `documents_standing`.",
  tags: ["documents"],
  security: bySession,
  middleware: [uploads, lenient, bodyUpTo(bodyLimit), signedIn, formOnly] as const,
  request: {
    headers: TenantHeader,
    body: { required: true, content: { "multipart/form-data": { schema: Submission } } },
  },
  responses: {
    201: { description: "It waits", content: { "application/json": { schema: Document } } },
    ...problems(
      "auth.impersonated",
      "documents.already_submitted",
      "documents.submissions_exhausted",
      "documents.type_unknown",
      "tenants.module_off",
      ...uploadErrors,
    ),
  },
});

export const documents = router();

documents.openapi(submit, async (c) => {
  const { type, file, stated_name: name, birth_date } = c.req.valid("form");
  const { database, services } = c.var;
  const asService = services.database.asService(originOf(c.req, c.var));
  const stated = name || birth_date
    ? { ...(name && { name }), ...(birth_date && { birth_date }) }
    : null;
  const { finished } = await takeUpload(
    { asCaller: database, asService, store: createStore(services.config) },
    { name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) },
    {
      bucket: "documents",
      begin: (announced) =>
        database.rpc("documents_begin", {
          tenant: c.req.valid("header")["nexus-tenant"] ?? null,
          type,
          stated,
          ...announced,
        }),
      finish: (row) => asService.rpc<z.input<typeof Document>>("documents_keep", row),
    },
  );
  return c.json(Document.parse(finished), 201);
});
