import { z } from "@hono/zod-openapi";
import { emailAddress } from "shared/auth/email_address.ts";

/** Forms that the routes of accounts share. */

export const bodyErrors = [
  "request.invalid",
  "request.too_large",
  "request.unsupported_media_type",
] as const;

export const body = <T extends z.ZodType>(schema: T) => ({
  body: { required: true, content: { "application/json": { schema } } },
});

/** The rule itself speaks with a code of its own. */
export const newPassword = z.string().min(1).max(1_000).openapi({
  description: "At least 8 characters with small and capital letters and a digit, at most 72 " +
    "bytes, none of those that are tried first",
  example: "Correct-horse-7",
});

export const givenPassword = z.string().min(1).max(1_000);

/** Where one signs in to, and how one is refused there. */
export const entry = z.string().max(40).optional().openapi({
  description: "Slug of the tenant to get into: without it any account may sign in, and sees " +
    "what it may",
});

export const entryErrors = [
  "members.banned",
  "members.pending",
  "members.suspended",
  "tenants.not_found",
] as const;

/** A token of a link, or a code and the address it went to. */
export const mailed = <F extends z.ZodRawShape>(fields: F) =>
  z.union([
    z.strictObject({ token: z.string().min(20).max(200), ...fields }),
    z.strictObject({ email: emailAddress(), code: z.string().regex(/^\d{6}$/), ...fields }),
  ]);

export const TokensBody = z.object({
  access_token: z.string(),
  refresh_token: z.string(),
  token_type: z.string(),
  expires_in: z.int(),
  expires_at: z.int(),
}).openapi("Tokens", { description: "What `setSession` of supabase-js takes" });
