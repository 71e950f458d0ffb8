import { pdf } from "../files/pictures.ts";
import { must } from "../support/answers.ts";
import { callApi, tokenOf } from "../support/api.ts";
import { createPerson, type Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createMember, createTenant, type Tenant } from "../support/tenants.ts";
import { until } from "../support/wait.ts";

export interface Document {
  id: string;
  person_id: string;
  type: string;
  status: string;
  attempt: number;
  file_id: string | null;
  sha256: string;
  reason: string | null;
  stated: Record<string, string> | null;
  submitted_at: string;
  decided_at: string | null;
  expires_at: string | null;
}

type Arguments = Record<string, unknown>;

/** A tenant that people join by showing documents. */
export const createCampus = (options: Arguments = {}): Promise<Tenant> =>
  createTenant({ modules: ["documents"], registration_policy: "documents", ...options });

/** Somebody who asked to join and waits. */
export async function createApplicant(tenant: Tenant): Promise<Person> {
  const person = await createPerson();
  await must(person.client.rpc("members_join", { tenant: tenant.slug }));
  return person;
}

export const saveType = (owner: Person, tenant: Tenant, slug: string, changes: Arguments) =>
  owner.client.rpc("documents_type_save", { tenant_id: tenant.id, slug, changes });

export interface Handing {
  type?: string;
  bytes?: Uint8Array<ArrayBuffer>;
  fields?: Record<string, string>;
}

/** Hands in a document as an app would: a form with the scan. */
export async function hand(
  person: Pick<Person, "client"> & { token?: string },
  tenant: Pick<Tenant, "slug"> | undefined,
  { type = "student_id", bytes = pdf(), fields = {} }: Handing = {},
): Promise<Response> {
  const form = new FormData();
  form.append("type", type);
  form.append("file", new File([bytes], "My scan.pdf"));
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  const encoded = new Response(form);
  return await callApi("/v1/documents", {
    method: "POST",
    token: person.token ?? await tokenOf(person),
    headers: {
      "content-type": encoded.headers.get("content-type")!,
      ...(tenant ? { "nexus-tenant": tenant.slug } : {}),
    },
    body: await encoded.arrayBuffer(),
  });
}

/** The answer to a document that must be taken. */
export async function handed(
  person: Person,
  tenant: Pick<Tenant, "slug"> | undefined,
  handing: Handing = {},
): Promise<Document> {
  const response = await hand(person, tenant, handing);
  const body = await response.json();
  if (response.status !== 201) throw new Error(`${response.status} ${JSON.stringify(body)}`);
  return body;
}

/** Calls an RPC about a document. */
export const act = (
  { client }: Pick<Person, "client">,
  name: string,
  tenant: Pick<Tenant, "id">,
  { id }: Pick<Document, "id">,
  args: Arguments = {},
) => client.rpc(`documents_${name}`, { tenant_id: tenant.id, document: id, ...args });

/** The document as its person reads it. */
export async function read({ client }: Person, { id }: Pick<Document, "id">): Promise<Document> {
  const rows = await must<Document[]>(client.from("documents").select("*").eq("id", id));
  return rows[0]!;
}

/** Where a person stands in a tenant. */
export async function membershipOf({ client }: Person, tenant: Tenant): Promise<string> {
  const me = await must<{ tenants: { id: string; status: string }[] }>(client.rpc("people_me"));
  return me.tenants.find(({ id }) => id === tenant.id)?.status ?? "none";
}

/** The worker takes its turn. */
const patience = { timeout: 30_000 };

export interface Campus {
  tenant: Tenant;
  owner: Person;
  rita: Person;
}

export async function createReviewed(): Promise<Campus> {
  const tenant = await createCampus();
  const [owner, rita] = await Promise.all([
    createMember(tenant, "owner"),
    createMember(tenant, "staff"),
  ]);
  return { tenant, owner, rita };
}

/** A document as it is stored, with what is left of its scan. */
export const stored = ({ id }: Pick<Document, "id">) =>
  withDatabase(async (sql) => {
    const [row] = await sql`
      select d.*, f.status as file_status,
        (select count(*)::int from storage.objects o where o.name like '%' || d.file_id || '%') as objects
      from documents d left join files f on f.tenant_id = d.tenant_id and f.id = d.file_id
      where d.id = ${id}`;
    return row!;
  });

export const scanIsGone = (document: Document, fileId: string) =>
  until(async () => {
    const row = await stored(document);
    const [left] = await withDatabase((sql) =>
      sql`select count(*)::int as objects from storage.objects where name like ${`%${fileId}%`}`
    );
    return row.file_id === null && left!.objects === 0;
  }, patience);

export const approve = ({ rita, tenant }: Campus, document: Document, args = {}) =>
  must<Document>(act(rita, "approve", tenant, document, args));

export const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
