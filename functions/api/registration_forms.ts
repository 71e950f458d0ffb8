import { z } from "@hono/zod-openapi";
import { emailAddress } from "shared/auth/email_address.ts";
import { text } from "shared/http/schemas.ts";
import type { Registration as Registering } from "./accounts.ts";
import { newPassword } from "./routes/accounts_schemas.ts";

const fields = {
  email: emailAddress(),
  password: newPassword,
  display_name: text(80),
  locale: z.string().regex(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/).max(35).optional()
    .openapi({ description: "Language of the mails until the profile says another" }),
  tenant: z.string().max(40).optional().openapi({ description: "Slug of the tenant to join" }),
  invitation: z.string().max(200).optional(),
};

export const Registration = z.strictObject(fields).openapi("Registration");

/** A field that comes once or several times. */
const several = <T extends z.ZodType>(one: T) =>
  z.preprocess((given) => Array.isArray(given) ? given : [given], z.array(one).min(1).max(5));

/** The same with documents, for a tenant that wants to see some. */
export const RegistrationForm = z.strictObject({
  ...fields,
  tenant: z.string().max(40).openapi({ description: "Slug of the tenant to join" }),
  type: several(z.string().max(31)).openapi({
    type: "array",
    items: { type: "string" },
    description: "What the documents are, in the order of the files, each of another type",
    example: ["student_id"],
  }),
  file: several(z.instanceof(File)).openapi({
    type: "array",
    items: { type: "string", format: "binary" },
    description: "PDF, JPEG, PNG, GIF or WebP, one to five, 10 MiB together",
  }),
  stated_name: text(120).optional().openapi({
    description: "The name in the documents, where a type has it confirmed",
  }),
  birth_date: z.iso.date().optional().openapi({
    description: "The date of birth in them, where a type has it confirmed",
  }),
}).refine(({ type, file }) => type.length === file.length && new Set(type).size === type.length, {
  path: ["type"],
  error: "One of its own for each file",
}).openapi("RegistrationForm");

export type Enclosing = z.output<typeof RegistrationForm>;

/** A registration as it came in a form. */
export async function registrationOf(
  { type, file, stated_name: name, birth_date, ...person }: Enclosing,
): Promise<Registering> {
  const papers = await Promise.all(file.map(async (scan, at) => ({
    type: type[at]!,
    name: scan.name,
    bytes: new Uint8Array(await scan.arrayBuffer()),
  })));
  const stated = name || birth_date
    ? { ...(name && { name }), ...(birth_date && { birth_date }) }
    : null;
  return { ...person, papers, stated };
}
