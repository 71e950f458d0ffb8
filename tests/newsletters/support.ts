import type postgres from "postgres";
import { must } from "../support/answers.ts";
import { admin, type Person } from "../support/clients.ts";
import { mailsTo } from "../support/mail.ts";
import { content } from "../support/newsletters.ts";
import { createMember, createTenant, type Tenant } from "../support/tenants.ts";
import { until } from "../support/wait.ts";

export { content };

export interface Newsletter {
  id: string;
  name: string;
  status: string;
  paused_for: string | null;
  content: { subject: string };
  send_at: string | null;
  local_time: string | null;
  winner_id: string | null;
  version: number;
}

export interface Figures {
  id: string;
  place: number;
  subject: string;
  recipients: number;
  sent: number;
  delivered: number;
  opened: number;
  clicked: number;
  bounced: number;
  skipped: number;
  unsubscribed: number;
}

export interface World {
  tenant: Tenant;
  head: Person;
  editor: Person;
  /** Calls `newsletters_<name>` as somebody; what it refuses fails the test. */
  call: <T>(me: Person, name: string, more?: Record<string, unknown>) => Promise<T>;
  /** The same call, refused or not. */
  ask: (me: Person, name: string, more?: Record<string, unknown>) => ReturnType<
    Person["client"]["rpc"]
  >;
  /** A draft for whoever has the tag. */
  draft: (tag: string, people: Person[], more?: Record<string, unknown>) => Promise<Newsletter>;
  statistics: (newsletter: Pick<Newsletter, "id">) => Promise<Figures[]>;
}

/** A community with an admin, who sends newsletters, and an editor, who writes them. */
export async function createWorld(): Promise<World> {
  const tenant = await createTenant({
    name: "Garden Club",
    modules: ["newsletters", "groups", "messaging"],
    currencies: [],
  });
  const [head, editor] = await Promise.all([
    createMember(tenant, "admin"),
    createMember(tenant, "staff"),
  ]);
  const ask: World["ask"] = ({ client }, name, more = {}) =>
    client.rpc(`newsletters_${name}`, { tenant_id: tenant.id, ...more });
  const call: World["call"] = (me, name, more) => must(ask(me, name, more));
  return {
    tenant,
    head,
    editor,
    ask,
    call,
    async draft(tag, people, more = {}) {
      if (people.length > 0) {
        await call(editor, "tag", { people: people.map(({ id }) => id), tag });
      }
      const criteria = [{ field: "tag", value: [tag] }];
      const { id } = await call<{ id: string }>(editor, "save_segment", { name: tag, criteria });
      return await call(editor, "save", { name: tag, content, segment_id: id, ...more });
    },
    statistics: ({ id }) => call(editor, "statistics", { newsletter_id: id }),
  };
}

/** How many newsletters somebody was mailed. */
export const issuesTo = async ({ email }: Person): Promise<number> =>
  (await mailsTo(email)).filter(({ tags }) =>
    tags.some(({ value }) => value === "newsletters_issue")
  ).length;

/** Waits until a newsletter is in this state, going on with it as the worker does. */
export const reached = (
  sql: postgres.Sql,
  { id }: Pick<Newsletter, "id">,
  status: string,
): Promise<Newsletter> =>
  until(async () => {
    const [row] = await sql<Newsletter[]>`select * from newsletters where id = ${id}`;
    if (row!.status === status) return row;
    await must(
      admin().rpc("newsletters_work", {
        tenant_id: (row as unknown as { tenant_id: string }).tenant_id,
        newsletter_id: id,
      }),
    );
    return undefined;
  }, { timeout: 20_000, every: 100, message: `newsletter ${id} is ${status}` });

/** One step of a newsletter, as the worker takes it. */
export const step = ({ tenant }: World, { id }: Pick<Newsletter, "id">) =>
  must<number>(admin().rpc("newsletters_work", { tenant_id: tenant.id, newsletter_id: id }));
