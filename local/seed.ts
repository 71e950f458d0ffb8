import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import postgres from "postgres";
import { type Log, StackError } from "./part.ts";
import { join } from "./paths.ts";
import { findStack, runCommand } from "./running.ts";
import { root } from "./settings.ts";
import type { StackInfo } from "./stack.ts";
import { say } from "./terminal.ts";

export const demoPassword = "Nexus-demo-1";

/** What everybody in a tenant starts with, by currency and in its smallest unit. */
const openingBalances: Record<string, Record<string, number>> = {
  timebank: { hours: 600 },
  cafe: { eur: 2000, points: 100 },
  companion: { coins: 500 },
  media: { points: 100 },
  campus: { points: 100 },
};

interface DemoMember {
  email: string;
  name: string;
  tenant: string;
  role: string;
}

const roleOf: Record<string, string> = {
  owner: "owner",
  admin: "admin",
  staff: "staff",
  ana: "member",
  ben: "member",
};

/** Sam is in all five, with another role in each. */
const rolesOfSam: Record<string, string> = {
  timebank: "member",
  cafe: "staff",
  companion: "guest",
  media: "admin",
  campus: "owner",
};

/** The demo people: `<name>@<tenant>.test`, and `sam@nexus.test` everywhere. */
export const demoMembers: DemoMember[] = Object.keys(openingBalances).flatMap((tenant) => [
  ...Object.entries(roleOf).map(([name, role]) => ({
    email: `${name}@${tenant}.test`,
    name: name.charAt(0).toUpperCase() + name.slice(1),
    tenant,
    role,
  })),
  { email: "sam@nexus.test", name: "Sam", tenant, role: rolesOfSam[tenant]! },
]);

/** Makes the demo tenants where a database URL is given, then the people. Safe to run again. */
export async function seedStack(stack: StackInfo, log: Log): Promise<void> {
  if (stack.databaseUrl) await seedTenants(stack.databaseUrl);
  const service = createClient(stack.url, stack.secretKey, { auth: { persistSession: false } });
  const tenants = await tenantIds(service);
  const people = await ensurePeople(service);
  const here = [...tenants.values()];
  // The demo people alone: an answer has a thousand rows at most, and a tenant may have more members.
  const members = await must(
    service.from("members").select("tenant_id, person_id")
      .in("tenant_id", here).in("person_id", [...people.values()]),
  );
  const present = new Set(members.map((member) => `${member.tenant_id} ${member.person_id}`));
  const keys = await must(
    service.from("wallet_keys").select("key").in("tenant_id", here).like("key", "opening %"),
  );
  const granted = new Set(keys.map(({ key }) => key));
  await inTurns(demoMembers, 8, async ({ email, tenant, role }) => {
    const [tenant_id, person] = [tenants.get(tenant)!, people.get(email)!];
    if (!present.has(`${tenant_id} ${person}`)) {
      await must(service.rpc("members_add", { tenant_id, person, role }));
    }
    for (const [currency, amount] of Object.entries(openingBalances[tenant]!)) {
      const idempotency_key = `opening ${tenant} ${person} ${currency}`;
      if (granted.has(idempotency_key)) continue;
      const grant = { tenant_id, to_person: person, amount, currency, idempotency_key };
      await must(service.rpc("wallet_issue", { ...grant, memo: "Opening balance" }));
    }
  });
  log(`[seed] ${people.size} people in ${tenants.size} tenants`);
}

async function seedTenants(databaseUrl: string): Promise<void> {
  const sql = postgres(databaseUrl, { max: 1, onnotice() {} });
  try {
    await sql.unsafe(await Deno.readTextFile(join(root, "supabase", "seed.sql")));
  } finally {
    await sql.end();
  }
}

async function tenantIds(service: SupabaseClient): Promise<Map<string, string>> {
  const slugs = Object.keys(openingBalances);
  const rows = await must(service.from("tenants").select("id, slug").in("slug", slugs));
  if (rows.length < slugs.length) {
    throw new StackError(
      "The demo tenants are missing: set SUPABASE_DB_URL, or load supabase/seed.sql first.",
    );
  }
  return new Map(rows.map(({ id, slug }) => [slug, id]));
}

async function ensurePeople(service: SupabaseClient): Promise<Map<string, string>> {
  const people = new Map<string, string>();
  for (let page = 1;; page++) {
    const { users } = await must(service.auth.admin.listUsers({ page, perPage: 1000 }));
    for (const user of users) people.set(user.email ?? "", user.id);
    if (users.length < 1000) break;
  }
  const wanted = new Map(demoMembers.map(({ email, name }) => [email, name]));
  await inTurns([...wanted], 4, async ([email, display_name]) => {
    if (people.has(email)) return;
    const { user } = await must(service.auth.admin.createUser({
      email,
      password: demoPassword,
      email_confirm: true,
      user_metadata: { display_name },
    }));
    people.set(email, user!.id);
  });
  return new Map([...people].filter(([email]) => wanted.has(email)));
}

async function must<T>(
  answer: PromiseLike<{ data: T; error: null } | { data: unknown; error: { message: string } }>,
): Promise<NonNullable<T>> {
  const { data, error } = await answer;
  if (error) throw new StackError(`The demo data could not be made: ${error.message}`);
  return data as NonNullable<T>;
}

async function inTurns<T>(items: T[], width: number, work: (item: T) => Promise<void>) {
  const queue = [...items];
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: width }, worker));
}

const isLocal = (url: string) =>
  ["127.0.0.1", "localhost", "[::1]"].includes(new URL(url).hostname);

if (import.meta.main) {
  await runCommand(async () => {
    const stack = await findStack();
    if (!isLocal(stack.url) && !Deno.args.includes("--yes")) {
      throw new StackError(
        `${stack.url} is not on this machine. The demo people have a public password: ` +
          "add --yes if you mean it.",
      );
    }
    await seedStack(stack, () => {});
    say(`Demo people are there: ${demoMembers.length} memberships, password ${demoPassword}.`);
  });
}
