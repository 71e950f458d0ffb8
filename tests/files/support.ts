import type { FileRow, Upload } from "shared/files/upload.ts";
import { callApi, tokenOf } from "../support/api.ts";
import type { Person } from "../support/clients.ts";
import type { Tenant } from "../support/tenants.ts";

export type { FileRow, Upload };

export interface Sending {
  bytes: Uint8Array<ArrayBuffer>;
  name?: string;
  type?: string;
  bucket?: string;
}

/** Uploads as an app would: a form with the file. */
export async function upload(
  person: Person,
  tenant: Pick<Tenant, "slug">,
  { bytes, name = "picture.jpg", type = "image/jpeg", bucket }: Sending,
): Promise<Response> {
  const form = new FormData();
  form.append("file", new File([bytes], name, { type }));
  if (bucket) form.append("bucket", bucket);
  const encoded = new Response(form);
  return await callApi("/v1/uploads", {
    method: "POST",
    token: await tokenOf(person),
    headers: {
      "nexus-tenant": tenant.slug,
      "content-type": encoded.headers.get("content-type")!,
    },
    body: await encoded.arrayBuffer(),
  });
}

/** The answer to an upload that must succeed. */
export async function uploaded(
  person: Person,
  tenant: Pick<Tenant, "slug">,
  sending: Sending,
): Promise<Upload> {
  const response = await upload(person, tenant, sending);
  const body = await response.json();
  if (response.status !== 201) throw new Error(`${response.status} ${JSON.stringify(body)}`);
  return body;
}

export async function link(
  person: Person,
  tenant: Pick<Tenant, "slug">,
  id: string,
  query = "",
): Promise<Response> {
  return await callApi(`/v1/uploads/${id}/link${query}`, {
    token: await tokenOf(person),
    headers: { "nexus-tenant": tenant.slug },
  });
}
