import { must } from "../support/answers.ts";
import type { Person } from "../support/clients.ts";
import { createMember, createTenant, type Tenant } from "../support/tenants.ts";
import { until } from "../support/wait.ts";

export interface Conversation {
  id: string;
  kind: "direct" | "group";
  title: string | null;
  context_kind: string | null;
  context_id: string | null;
  retention_days: number | null;
  last_seq: number;
  removed_seq: number;
}

export interface Message {
  id: string;
  tenant_id: string;
  conversation_id: string;
  seq: number;
  sender_id: string;
  client_id: string | null;
  kind: string;
  body: string | null;
  reply_to: string | null;
  mentions: string[];
  files: string[];
  version: number;
  created_at: string;
  edited_at: string | null;
  deleted_at: string | null;
}

export interface Change {
  position: number;
  event: string;
  conversation_id: string;
  message_id: string;
  message: Message | null;
}

export interface Progress {
  conversation_id: string;
  read_seq: number;
  delivered_seq: number;
  unread: number;
  unread_total: number;
}

/** A tenant that talks; nobody is told to slow down, unless `settings` say so. */
export function createTalkingTenant(settings: Record<string, unknown> = {}): Promise<Tenant> {
  return createTenant({
    modules: ["messaging"],
    currencies: [],
    settings: { messaging: { send_limit: 10_000, ...settings } },
  });
}

export interface Pair {
  tenant: Tenant;
  ana: Person;
  ben: Person;
  conversation: string;
}

/** Two members and their conversation. */
export async function createPair(settings: Record<string, unknown> = {}): Promise<Pair> {
  const tenant = await createTalkingTenant(settings);
  const [ana, ben] = await Promise.all([createMember(tenant), createMember(tenant)]);
  return { tenant, ana, ben, conversation: await open(ana, tenant, ben) };
}

/** The conversation of two, by its id. */
export async function open(
  me: Person,
  tenant: Tenant,
  { id }: Pick<Person, "id">,
): Promise<string> {
  const call = me.client.rpc("messaging_open", { tenant_id: tenant.id, person: id });
  return (await must<Conversation>(call)).id;
}

/** A group of the first, who owns it, and the others. */
export async function createGroup(
  tenant: Tenant,
  owner: Person,
  ...people: Person[]
): Promise<string> {
  const group = await must<Conversation>(
    owner.client.rpc("messaging_create_group", {
      tenant_id: tenant.id,
      title: "Gardeners",
      people: people.map(({ id }) => id),
    }),
  );
  return group.id;
}

/** What `messaging_send` is called with, a new client id included. */
export const draft = (tenant: Tenant, conversation_id: string, options = {}) => ({
  tenant_id: tenant.id,
  conversation_id,
  client_id: crypto.randomUUID(),
  body: "Hello",
  ...options,
});

export const send = ({ client }: Person, tenant: Tenant, conversation: string, options = {}) =>
  must<Message>(client.rpc("messaging_send", draft(tenant, conversation, options)));

export const page = ({ client }: Person, tenant: Tenant, conversation_id: string, options = {}) =>
  must<Message[]>(
    client.rpc("messaging_page", { tenant_id: tenant.id, conversation_id, ...options }),
  );

export const unread = async (
  { client }: Person,
  { id: tenant_id }: Tenant,
) => (await must<{ unread: number; position: number }>(
  client.rpc("messaging_unread", { tenant_id }),
));

export const markRead = (
  { client }: Person,
  tenant: Tenant,
  conversation_id: string,
  seq: number,
) =>
  must<Progress>(client.rpc("messaging_mark_read", { tenant_id: tenant.id, conversation_id, seq }));

/** Everything since a position, page by page. */
export async function catchUp(
  { client }: Person,
  { id: tenant_id }: Tenant,
  since = 0,
  page_size = 100,
): Promise<Change[]> {
  const changes: Change[] = [];
  for (;;) {
    const from: number = changes.at(-1)?.position ?? since;
    const next = await must<Change[]>(
      client.rpc("messaging_catch_up", { tenant_id, since: from, page_size }),
    );
    changes.push(...next);
    if (next.length < page_size) return changes;
  }
}

export const block = ({ client }: Person, tenant: Tenant, { id }: Person, blocked = true) =>
  must<boolean>(client.rpc("messaging_block", { tenant_id: tenant.id, person: id, blocked }));

export interface Heard {
  event: string;
  payload: Record<string, unknown>;
}

/** A private channel, and what is heard on it. */
export interface Listener extends AsyncDisposable {
  heard: Heard[];
  status: string;
  named(event: string): Heard["payload"][];
  wait(event: string, count?: number): Promise<Heard["payload"][]>;
}

/** Joins a private channel: the events it hears, or the refusal. */
export async function listen(
  { client }: Pick<Person, "client">,
  topic: string,
  onEvent: (one: Heard) => void = () => {},
): Promise<Listener> {
  const { data } = await client.auth.getSession();
  await client.realtime.setAuth(data.session?.access_token ?? null);
  const heard: Heard[] = [];
  const channel = client.channel(topic, { config: { private: true } })
    .on("broadcast", { event: "*" }, ({ event, payload }) => {
      heard.push({ event, payload });
      onEvent({ event, payload });
    });
  const status = await new Promise<string>((resolve) => channel.subscribe(resolve));
  const named = (event: string) =>
    heard.filter((one) => one.event === event).map(({ payload }) => payload);
  return {
    heard,
    status,
    named,
    async wait(event, count = 1) {
      await until(() => named(event).length >= count, { message: `${count} ${event} on ${topic}` });
      return named(event);
    },
    async [Symbol.asyncDispose]() {
      await client.removeChannel(channel);
    },
  };
}
