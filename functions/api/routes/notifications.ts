import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { databaseErrors, problems } from "shared/errors/openapi.ts";
import type { Env } from "shared/http/env.ts";
import { unlimited } from "shared/http/limits.ts";
import { originOf } from "shared/http/origin.ts";
import { asPage } from "shared/http/page.ts";
import { router } from "shared/http/router.ts";
import { type LinkedSetting, pageType, settingPage } from "../setting_page.tsx";

const query = z.object({
  token: z.string().min(1).max(1000).openapi({ description: "As the mail's link carries it" }),
});

const Setting = z.object({
  tenant_id: z.uuid(),
  tenant: z.string().nullable().openapi({ description: "Null: about the account itself" }),
  kind: z.string().openapi({ example: "notifications.digest" }),
  channel: z.enum(["inbox", "email", "push"]),
  scope: z.string().openapi({ description: "The group within the tenant; empty: all of it" }),
  setting: z.enum(["instant", "daily", "weekly", "off"]),
  fixed: z.boolean().openapi({ description: "Of the account's safety, and always sent" }),
}).openapi("NotificationSetting");

const Choice = z.object({
  setting: z.enum(["instant", "daily", "weekly", "off"]).optional(),
  "List-Unsubscribe": z.literal("One-Click").optional(),
}).refine((given) => given.setting || given["List-Unsubscribe"], "setting is missing");

const page = z.string().openapi({ description: "The same for people" });

const answer = {
  description: "The setting that the link opens",
  content: {
    "application/json": { schema: Setting },
    "application/xhtml+xml": { schema: page },
  },
};

const common = { path: "/setting", tags: ["notifications"], security: [] };

const read = createRoute({
  ...common,
  method: "get",
  operationId: "getLinkedSetting",
  summary: "The setting behind a mail",
  description:
    "What the link in a mail opens, without a login: a page for browsers, JSON for who " +
    "asks for it. Where the tenant has a page of its own for it, browsers are sent there.",
  middleware: [asPage] as const,
  request: { query },
  responses: {
    200: answer,
    303: { description: "The tenant's own page, with the token" },
    ...problems("notifications.link_refused", "request.invalid", ...databaseErrors),
  },
});

const choose = createRoute({
  ...common,
  method: "post",
  operationId: "setLinkedSetting",
  summary: "Change the setting behind a mail",
  description:
    "Also what mail programs call by one click (RFC 8058): `List-Unsubscribe=One-Click` " +
    "switches it off.",
  // Mail programs call from the few addresses of their makers; the signed link is what counts.
  middleware: [asPage, unlimited] as const,
  request: {
    query,
    body: {
      required: true,
      content: { "application/x-www-form-urlencoded": { schema: Choice } },
    },
  },
  responses: {
    200: answer,
    ...problems(
      "notifications.link_refused",
      "request.invalid",
      "request.too_large",
      "request.unsupported_media_type",
      ...databaseErrors,
    ),
  },
});

export const notifications = router();

const wantsPage = (c: Context<Env>) => /html/.test(c.req.header("accept") ?? "");

const asService = (c: Context<Env>) => c.var.services.database.asService(originOf(c.req, c.var));

function show(c: Context<Env>, setting: LinkedSetting, saved: boolean) {
  if (!wantsPage(c)) return c.json(Setting.parse(setting), 200);
  const platform = c.var.services.config.email.from?.name || "Nexus";
  return c.body(settingPage({ setting, platform, saved }), 200, { "content-type": pageType });
}

notifications.openapi(read, async (c) => {
  const { token } = c.req.valid("query");
  const setting = await asService(c).rpc<LinkedSetting>("notifications_linked", { token });
  if (!setting.settings_url || !wantsPage(c)) return show(c, setting, false);
  const target = new URL(setting.settings_url);
  target.searchParams.set("token", token);
  return c.redirect(target.href, 303);
});

notifications.openapi(choose, async (c) => {
  const { token } = c.req.valid("query");
  const setting = await asService(c).rpc<LinkedSetting>("notifications_set_linked", {
    token,
    setting: c.req.valid("form").setting ?? "off",
  });
  return show(c, setting, true);
});
