import { createRoute, z } from "@hono/zod-openapi";
import { inTenant, signedIn } from "shared/auth/signed_in.ts";
import { problems, signedInErrors } from "shared/errors/openapi.ts";
import { createStore } from "shared/files/store.ts";
import { keepUpload, type Upload } from "shared/files/upload.ts";
import { bodyUpTo } from "shared/http/declared.ts";
import { formOnly } from "shared/http/forms.ts";
import { lenient, limited } from "shared/http/limits.ts";
import { bySession } from "shared/http/openapi.ts";
import { originOf } from "shared/http/origin.ts";
import { router } from "shared/http/router.ts";

/** 10 MiB, and room for the other fields of the form. */
export const bodyLimit = 10 * 1024 ** 2 + 16_384;

/**
 * Pictures cost CPU: half a second for a large one. Where the limit cannot be asked, nothing can be
 * uploaded either.
 */
export const uploads = limited({ name: "uploads", by: "person", limit: 60, window: 60 });

const tenantErrors = [
  "tenants.ambiguous",
  "tenants.not_found",
  "members.not_active",
] as const;

/** What any upload can end with. */
export const uploadErrors = [
  "files.damaged",
  // Somebody deleted it before it was there.
  "files.not_found",
  "request.transition_refused",
  "files.quota_exceeded",
  "files.too_large",
  "files.too_many_pixels",
  "files.type_unsupported",
  "members.permission_denied",
  "request.invalid",
  "request.too_large",
  "request.unsupported_media_type",
  ...tenantErrors,
  ...signedInErrors,
] as const;

export const TenantHeader = z.object({
  "nexus-tenant": z.string().max(40).optional()
    .openapi({ description: "Slug of the tenant; needed where the caller is in several" }),
});

const UploadForm = z.object({
  file: z.instanceof(File).openapi({ type: "string", format: "binary" }),
  bucket: z.enum(["avatars", "images", "documents", "attachments"]).default("images").openapi({
    description: "avatars: open to everybody; images: to the tenant's members; documents: to " +
      "reviewers; attachments: to whoever sees a message with it",
  }),
}).openapi("UploadForm");

const Uploaded = z.object({
  id: z.uuid(),
  bucket: z.enum(["avatars", "images", "documents", "attachments"]).openapi({
    description: "Where it lies: a held avatar waits in images",
  }),
  path: z.string(),
  content_type: z.string().openapi({ description: "By the bytes, not by the name" }),
  size: z.int(),
  width: z.int().nullable(),
  height: z.int().nullable(),
  webp: z.object({ path: z.string(), size: z.int(), saving_percent: z.int() }).nullable(),
}).openapi("Uploaded");

export const Link = z.object({ url: z.url(), expires_at: z.iso.datetime().nullable() }).openapi(
  "FileLink",
  {
    description: "`expires_at` is null where the file is open to everybody",
  },
);

const upload = createRoute({
  method: "post",
  path: "/",
  operationId: "uploadFile",
  summary: "Upload a picture, a PDF, or a recording for a message",
  description: "JPEG, PNG, GIF and WebP up to 10 MiB and 50 megapixels. The original is kept as " +
    "it is, in avatars without its notes of place and device. PDFs go into documents and attachments, " +
    "recordings (Ogg, WebM, MP4, WAV, MP3) into attachments. JPEG and PNG up to 8 megapixels get " +
    "a WebP of quality 80 where that is smaller, without such notes. A thumbnail follows.",
  tags: ["files"],
  security: bySession,
  middleware: [uploads, lenient, bodyUpTo(bodyLimit), signedIn, inTenant, formOnly] as const,
  request: {
    headers: TenantHeader,
    body: { required: true, content: { "multipart/form-data": { schema: UploadForm } } },
  },
  responses: {
    201: { description: "It is kept", content: { "application/json": { schema: Uploaded } } },
    ...problems(...uploadErrors),
  },
});

const link = createRoute({
  method: "get",
  path: "/{id}/link",
  operationId: "getFileLink",
  summary: "A URL that opens a file for a while, to whoever has it",
  tags: ["files"],
  security: bySession,
  middleware: [signedIn, inTenant] as const,
  request: {
    headers: TenantHeader,
    params: z.object({ id: z.uuid() }),
    query: z.object({
      variant: z.enum(["webp", "thumbnail"]).optional(),
      seconds: z.coerce.number().int().min(1).max(3600).default(300),
    }),
  },
  responses: {
    200: { description: "The URL", content: { "application/json": { schema: Link } } },
    ...problems(
      "files.not_found",
      "members.permission_denied",
      "request.invalid",
      ...tenantErrors,
      ...signedInErrors,
    ),
  },
});

export const files = router();

files.openapi(upload, async (c) => {
  const { file, bucket } = c.req.valid("form");
  const { database, tenant, services } = c.var;
  const uploaded: Upload = await keepUpload({
    asCaller: database,
    asService: services.database.asService(originOf(c.req, c.var)),
    store: createStore(services.config),
  }, {
    tenantId: tenant.id,
    bucket,
    name: file.name,
    bytes: new Uint8Array(await file.arrayBuffer()),
  });
  return c.json(uploaded, 201);
});

interface Location {
  bucket: string;
  path: string;
  public: boolean;
}

files.openapi(link, async (c) => {
  const { variant, seconds } = c.req.valid("query");
  const { caller, database, tenant, services } = c.var;
  const { bucket, path, ...found } = await database.rpc<Location>("files_locate", {
    tenant_id: tenant.id,
    file: c.req.valid("param").id,
    variant: variant ?? null,
  });
  // Signed with the caller's own rights: Storage asks the policies again.
  const store = createStore(services.config, caller.token);
  if (found.public) return c.json({ url: store.publicUrl(bucket, path), expires_at: null }, 200);
  const expires = new Date(Date.now() + seconds * 1000).toISOString();
  return c.json({ url: await store.sign(bucket, path, seconds), expires_at: expires }, 200);
});
