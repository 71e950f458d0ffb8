import { Buffer } from "node:buffer";
import { createRoute, z } from "@hono/zod-openapi";
import { inTenant, signedIn } from "shared/auth/signed_in.ts";
import { type MailToRender, render } from "shared/email/render.ts";
import { databaseErrors, inTenantErrors, problems, signedInErrors } from "shared/errors/openapi.ts";
import { unlimited } from "shared/http/limits.ts";
import { bySession } from "shared/http/openapi.ts";
import { originOf } from "shared/http/origin.ts";
import { router } from "shared/http/router.ts";

const Preview = z.object({
  subjects: z.array(z.string()).openapi({ description: "Its own first, then those to try" }),
  html: z.string(),
  text: z.string(),
}).openapi("NewsletterPreview");

const preview = createRoute({
  method: "get",
  path: "/{id}/preview",
  operationId: "previewNewsletter",
  summary: "A newsletter as its mail to the caller would look",
  description: "Permission `newsletters.read`. Links in it lead nowhere but to themselves.",
  tags: ["newsletters"],
  security: bySession,
  middleware: [signedIn, inTenant] as const,
  request: { params: z.object({ id: z.uuid() }) },
  responses: {
    200: { description: "The mail", content: { "application/json": { schema: Preview } } },
    ...problems(
      "members.permission_denied",
      "newsletters.not_found",
      "request.invalid",
      "tenants.module_off",
      ...inTenantErrors,
      ...signedInErrors,
    ),
  },
});

const token = z.string().min(1).max(400).openapi({ description: "As the mail carries it" });

/** Mail programs call from the few addresses of their makers; the signed token is what counts. */
const common = { method: "get" as const, tags: ["newsletters"], security: [] as [] };

const refusals = problems("newsletters.link_refused", "request.invalid", ...databaseErrors);

const click = createRoute({
  ...common,
  path: "/click",
  operationId: "followNewsletterLink",
  summary: "A link of a newsletter",
  description: "Counts the click and leads to the link's place in the issue, and nowhere else.",
  middleware: [unlimited] as const,
  request: { query: z.object({ token, link: z.coerce.number().int().min(0).max(199) }) },
  responses: { 302: { description: "Where the link leads" }, ...refusals },
});

const open = createRoute({
  ...common,
  path: "/open",
  operationId: "openNewsletter",
  summary: "The picture in the mail of a reader who lets it be noted that they opened it",
  middleware: [unlimited] as const,
  request: { query: z.object({ token }) },
  responses: {
    200: {
      description: "One transparent pixel",
      content: { "image/gif": { schema: z.string().openapi({ format: "binary" }) } },
    },
    ...refusals,
  },
});

/** A transparent pixel. */
const pixel = new Uint8Array(
  Buffer.from("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7", "base64"),
);

export const newsletters = router();

newsletters.openapi(preview, async (c) => {
  const { subjects, ...mail } = await c.var.database.rpc<MailToRender & { subjects: string[] }>(
    "newsletters_preview",
    { tenant_id: c.var.tenant.id, newsletter_id: c.req.valid("param").id },
  );
  const { html, text } = render({
    ...mail,
    data: {},
    sender: mail.brand?.name ?? c.var.services.config.email.from?.name ?? "Nexus",
  });
  return c.json({ subjects, html, text }, 200);
});

newsletters.openapi(click, async (c) => {
  const asService = c.var.services.database.asService(originOf(c.req, c.var));
  const url = await asService.rpc<string>("newsletters_clicked", c.req.valid("query"));
  return c.redirect(url, 302);
});

newsletters.openapi(open, async (c) => {
  const asService = c.var.services.database.asService(originOf(c.req, c.var));
  await asService.rpc<boolean>("newsletters_opened", c.req.valid("query"));
  return c.body(pixel, 200, { "content-type": "image/gif" });
});
