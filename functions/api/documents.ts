import { z } from "@hono/zod-openapi";

const moment = z.iso.datetime({ offset: true });

/** A document as its person and its reviewers are answered. */
export const Document = z.object({
  id: z.uuid(),
  person_id: z.uuid(),
  type: z.string().openapi({ example: "student_id" }),
  status: z.enum([
    "submitted",
    "in_review",
    "resubmission_wanted",
    "approved",
    "rejected",
    "withdrawn",
    "expired",
    "replaced",
  ]),
  attempt: z.int(),
  sha256: z.string().openapi({ description: "Of the scan" }),
  reason: z.string().nullable().openapi({ description: "Of the last decision" }),
  submitted_at: moment,
  decided_at: moment.nullable(),
  expires_at: moment.nullable().openapi({ description: "Until when an approval holds" }),
}).openapi("Document");
