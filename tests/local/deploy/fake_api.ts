import postgres from "postgres";
import { dirname, fromFileUrl, join } from "../../../local/paths.ts";

export const ref = "abcdefghijklmnopqrst";

/** One function as it was uploaded. */
export interface Upload {
  metadata: { entrypoint_path: string; import_map_path: string; verify_jwt: boolean };
  files: File[];
}

/** A management API of one project on this machine, as far as a deployment by the CLI asks it. */
export class FakeApi implements AsyncDisposable {
  readonly auth: Record<string, unknown> = { site_url: "http://localhost:3000", jwt_exp: 3600 };
  readonly secrets = new Map<string, string>();
  readonly uploads = new Map<string, Upload>();
  /** The project's keys by their type. */
  readonly keys = { publishable: "sb_publishable_fake", secret: "sb_secret_fake" };
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #sql: postgres.Sql;

  constructor(databaseUrl: string) {
    this.#sql = postgres(databaseUrl, { max: 1, onnotice() {} });
    const options = { hostname: "127.0.0.1", port: 0, onListen() {} };
    this.#server = Deno.serve(options, (request) => this.#answer(request));
  }

  /** The CLI's profile that leads here, in place of `api.supabase.com`. */
  get profile(): string {
    const url = `http://127.0.0.1:${this.#server.addr.port}`;
    return [
      ...["name: fake", `api_url: ${url}`, `dashboard_url: ${url}`, `docs_url: ${url}`],
      ...["project_host: fake.test", "pooler_host: fake.test"],
    ].join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
    await this.#sql.end({ timeout: 5 });
  }

  async #answer(request: Request): Promise<Response> {
    if (!/^Bearer sbp_/.test(request.headers.get("authorization") ?? "")) {
      return Response.json({ message: "Unauthorized" }, { status: 401 });
    }
    const { pathname, searchParams } = new URL(request.url);
    const route = `${request.method} ${pathname.replace(`/projects/${ref}`, "")}`;
    switch (route) {
      case "GET /v1":
        return Response.json(project);
      case "GET /v1/billing/addons":
        return Response.json({ selected_addons: [], available_addons: [] });
      case "GET /v2/config":
        return Response.json({
          data: { id: ref, type: "project_config", attributes: { auth: this.auth } },
        });
      case "PATCH /v1/config/auth":
        Object.assign(this.auth, await request.json());
        return Response.json({ ...await anyAuth(), ...this.auth });
      case "POST /v1/secrets":
        for (const { name, value } of await request.json()) this.secrets.set(name, value);
        return Response.json({}, { status: 201 });
      case "POST /v1/database/query":
        return Response.json(await this.#query((await request.json()).query), { status: 201 });
      case "GET /v1/api-keys":
        return Response.json(
          Object.entries(this.keys).map(([type, key]) => ({
            id: type,
            name: type,
            type,
            api_key: key,
          })),
        );
      case "GET /v1/functions":
        return Response.json([]);
      case "PUT /v1/functions":
        return Response.json({ functions: (await request.json()).map(active) });
      case "POST /v1/functions/deploy":
        return this.#deploy(searchParams.get("slug")!, await request.formData());
      default:
        return Response.json({ message: `The fake does not know ${route}` }, { status: 404 });
    }
  }

  /** Hosted runs what it is sent as postgres, and answers with the rows of the last statement. */
  async #query(text: string): Promise<unknown[]> {
    const rows = await this.#sql.unsafe(text).simple();
    const results: unknown[] = rows;
    return Array.isArray(results[0]) ? results.at(-1) as unknown[] : results;
  }

  #deploy(slug: string, form: FormData): Response {
    const metadata = JSON.parse(String(form.get("metadata")));
    const files = form.getAll("file").filter((entry) => entry instanceof File);
    this.uploads.set(slug, { metadata, files });
    return Response.json(active({ slug, verify_jwt: metadata.verify_jwt }), { status: 201 });
  }
}

const active = (about: { slug: string; verify_jwt: boolean }) => ({
  id: about.slug,
  name: about.slug,
  status: "ACTIVE",
  version: 1,
  created_at: 1,
  updated_at: 1,
  ...about,
});

const project = {
  id: ref,
  ref,
  organization_id: "fake",
  organization_slug: "fake",
  name: "fake",
  region: "eu-central-1",
  created_at: "2026-01-01T00:00:00Z",
  status: "ACTIVE_HEALTHY",
  database: {
    host: `db.${ref}.fake.test`,
    version: "17.6",
    postgres_engine: "17",
    release_channel: "ga",
  },
};

/** The CLI refuses an answer without any of the fields that hosted's has: their names, and nothing in them. */
async function anyAuth(): Promise<Record<string, unknown>> {
  const file = join(dirname(fromFileUrl(import.meta.url)), "auth_fields.txt");
  const names = (await Deno.readTextFile(file)).split(/\s+/).filter(Boolean);
  const notNull = {
    mailer_otp_exp: 0,
    passkey_enabled: false,
    mfa_phone_otp_length: 6,
    password_required_characters: null,
    sms_otp_length: 6,
    oauth_server_enabled: false,
    oauth_server_allow_dynamic_registration: false,
    custom_oauth_enabled: false,
    custom_oauth_max_providers: 0,
  };
  return { ...Object.fromEntries(names.map((name) => [name, null])), ...notNull };
}
