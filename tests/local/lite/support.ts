import { App } from "@supabase/lite";
import { createPostgresConnection } from "@supabase/lite/postgres";
import { SignJWT } from "jose";
import { Client } from "pg";
import { createDataApi, type DataApi } from "../../../local/lite/api.ts";
import { getStack } from "../../support/stack.ts";

// Lite reports every refused request there.
const silent = () => {};
Object.assign(console, { error: silent, info: silent, log: silent, warn: silent });

export const secret = "a secret of the gateway and the Data API, for tests";
export const ana = "10000000-0000-4000-8000-000000000001";
export const ben = "10000000-0000-4000-8000-000000000002";

/** What a caller's token says. */
export type Claims = Record<string, unknown>;
export const authenticated: Claims = { sub: ana, role: "authenticated" };

export interface Call {
  method?: string;
  body?: unknown;
  headers?: Record<string, string>;
  /** The caller; by default `authenticated`, null for nobody. */
  as?: Claims | null;
}

export interface Answer {
  status: number;
  body: unknown;
  text: string;
  headers: Headers;
}

/** A Data API under test, asked like PostgREST: paths without `/rest/v1`. */
export interface Door {
  call(path: string, call?: Call): Promise<Answer>;
  /** The body of an answer; one that is no success fails the test. */
  get(path: string, headers?: Record<string, string>): Promise<unknown>;
  rpc(name: string, args?: unknown): Promise<unknown>;
}

/** One database each for the mended Data API and for lite as it comes, which changes what it finds. */
export interface Doors extends AsyncDisposable {
  mended: Door;
  plain: Door;
  /** Runs SQL in the mended one's database, as superuser. */
  run(sql: string): Promise<Record<string, unknown>[]>;
  /** Runs SQL in the other. */
  runPlain(sql: string): Promise<Record<string, unknown>[]>;
}

/** Makes both databases with the same contents. */
export async function openDoors(fixture: string): Promise<Doors> {
  const databases = await Promise.all([makeDatabase(fixture), makeDatabase(fixture)]);
  const [ours, theirs] = databases as [Scratch, Scratch];
  const [mended, plain] = await Promise.all([mendedApi(ours), plainApi(theirs)]);
  return {
    mended: doorOf(mended),
    plain: doorOf(plain),
    run: ours.run,
    runPlain: theirs.run,
    async [Symbol.asyncDispose]() {
      await Promise.all([mended.close(), plain.close()]);
      await Promise.all(databases.map((database) => database[Symbol.asyncDispose]()));
    },
  };
}

export interface Scratch extends AsyncDisposable {
  url(role: string): string;
  run(sql: string): Promise<Record<string, unknown>[]>;
  /** Whether it may be connected to; closing it ends all connections. */
  open(isOpen: boolean): Promise<void>;
}

const common = `
  create schema auth;
  create function auth.uid() returns uuid language sql stable as
    $$ select (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid $$;
  grant usage on schema auth, public to anon, authenticated, service_role;`;

/** A database of its own on the stack's server, dropped at the end. */
export async function makeDatabase(fixture: string): Promise<Scratch> {
  const name = `scratch_${crypto.randomUUID().replaceAll("-", "")}`;
  const urlOf = (role: string, database: string) => {
    const url = new URL(getStack().databaseUrl);
    Object.assign(url, { username: role, pathname: `/${database}` });
    return url.href;
  };
  const url = (role: string) => urlOf(role, name);
  const owner = urlOf("supabase_admin", "postgres");
  const run = (sql: string) => query(url("supabase_admin"), sql);
  await query(owner, `create database ${name}`);
  await run(common + fixture);
  return {
    url,
    run,
    async open(isOpen) {
      await query(owner, `alter database ${name} allow_connections ${isOpen}`);
      if (!isOpen) await query(owner, terminated(`datname = '${name}'`));
    },
    async [Symbol.asyncDispose]() {
      await query(owner, `drop database ${name} with (force)`);
    },
  };
}

/** Ends the connections that match. */
export const terminated = (condition: string) =>
  `select pg_terminate_backend(pid) from pg_stat_activity where ${condition}`;

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const result = await client.query(sql);
    return result.rows;
  } finally {
    await client.end();
  }
}

const exposed = { schemas: ["public"], extraSearchPath: ["public", "extensions"], maxRows: 1000 };

export function mendedApi(database: Pick<Scratch, "url">): Promise<DataApi> {
  return createDataApi({
    ...exposed,
    databaseUrl: database.url("authenticator"),
    catalogueUrl: database.url("supabase_admin"),
    secret,
    connections: 10,
    log: () => {},
  });
}

/** Lite as its documentation has it set up, which works for a superuser only. */
export async function plainApi(database: Pick<Scratch, "url">): Promise<DataApi> {
  const connection = createPostgresConnection({
    url: database.url("supabase_admin"),
    postgresOptions: { onnotice() {} },
  });
  const app = new App({
    connection,
    api: { enabled: true, schemas: exposed.schemas, max_rows: exposed.maxRows },
    auth: { enabled: true, jwt_secret: secret },
    options: { server: { apiKeys: false } },
  });
  await app.ensureSystemSchema();
  return { fetch: (request) => app.fetch(request), close: () => connection.close() };
}

export async function tokenOf(claims: Claims): Promise<string> {
  const exp = Math.floor(Date.now() / 1000) + 3600;
  return await new SignJWT({ exp, ...claims }).setProtectedHeader({ alg: "HS256" })
    .sign(new TextEncoder().encode(secret));
}

export function doorOf({ fetch }: Pick<DataApi, "fetch">): Door {
  const call: Door["call"] = async (path, { method, body, headers = {}, as } = {}) => {
    const caller = as === undefined ? authenticated : as;
    const init: RequestInit = {
      method: method ?? (body === undefined ? "GET" : "POST"),
      headers: {
        ...(caller && { authorization: `Bearer ${await tokenOf(caller)}` }),
        ...(body !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    };
    const response = await fetch(new Request(`http://localhost/rest/v1${path}`, init));
    const text = await response.text();
    return { status: response.status, body: readable(text), text, headers: response.headers };
  };
  const must = async (path: string, request?: Call) => {
    const { status, body } = await call(path, request);
    if (status >= 300) throw new Error(`${path}: ${status} ${JSON.stringify(body)}`);
    return body;
  };
  return {
    call,
    get: (path, headers = {}) => must(path, { headers }),
    rpc: (name, args = {}) => must(`/rpc/${name}`, { body: args }),
  };
}

function readable(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text === "" ? undefined : text;
  }
}
