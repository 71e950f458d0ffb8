import { z } from "@hono/zod-openapi";
import { jsonObject, text } from "shared/http/schemas.ts";

const moment = z.iso.datetime({ offset: true });

/** Values of `members.status`. */
export const membershipStatus = z.enum(["pending", "active", "suspended", "banned", "left"]);

/** A row of the list of users, as `admin_users` returns it. */
export const User = z.object({
  id: z.uuid(),
  display_name: z.string(),
  avatar_url: z.string().nullable(),
  email: z.string().nullable(),
  email_verified: z.boolean(),
  role: z.string(),
  status: membershipStatus,
  waiting_for: z.enum(["email", "approval", "documents"]).nullable().openapi({
    description: "What a pending member still lacks",
  }),
  waiting_since: moment.nullable(),
  stuck: z.boolean().openapi({ description: "Waiting for three days already" }),
  suspended_until: moment.nullable(),
  restricted_until: moment.nullable(),
  joined_at: moment,
  last_sign_in_at: moment.nullable(),
}).openapi("AdminUser");

const Appeal = z.object({
  id: z.uuid(),
  status: z.enum(["submitted", "upheld", "overturned", "withdrawn", "closed"]),
  statement: z.string(),
  answer: z.string().nullable(),
  decided_by: z.uuid().nullable(),
  created_at: moment,
  decided_at: moment.nullable(),
}).openapi("Appeal");

const Decision = z.object({
  id: z.uuid(),
  kind: z.enum(["warning", "suspension", "ban", "restriction"]),
  status: z.enum(["standing", "expired", "lifted", "overturned", "replaced"]),
  reason: z.string(),
  decided_by: z.uuid(),
  until: moment.nullable(),
  created_at: moment,
  ended_at: moment.nullable(),
  ended_by: z.uuid().nullable(),
  appeal: z.union([Appeal, z.null()]),
}).openapi("AdminDecision");

/** What `admin_user` returns. */
export const UserWithHistory = User.extend({
  decisions: z.array(Decision).openapi({ description: "Newest first, at most a hundred" }),
}).openapi("AdminUserWithHistory");

/** A line of the trail about one member, as `admin_activity` returns it. */
export const Activity = z.object({
  id: z.uuid(),
  created_at: moment,
  action: z.string(),
  resource: z.string(),
  actor: z.uuid().nullable(),
  impersonator: z.uuid().nullable(),
  session_id: z.uuid().nullable(),
  request_id: z.string().nullable(),
  ip: z.string().nullable(),
  user_agent: z.string().nullable(),
  before: jsonObject().nullable(),
  after: jsonObject().nullable(),
}).openapi("AdminActivity");

const until = moment.optional().openapi({
  description: "Within a year; left out: until it is ended",
});

/** Body of `PATCH /admin/users/{id}`. */
export const Change = z.union([
  z.strictObject({
    status: z.enum(["active", "suspended", "banned"]),
    reason: text(1000).optional().openapi({
      description: "Needed to suspend or ban; the member is told",
    }),
    until,
  }),
  z.strictObject({
    role: z.string().max(160),
    reason: text(1000).optional().openapi({ description: "Makes a lesser role a restriction" }),
    until,
  }),
  z.strictObject({ warning: text(1000), until }),
]).openapi("AdminUserChange", { description: "One act at a time" });
