import { createClient, type RealtimeChannel, type SupabaseClient } from "@supabase/supabase-js";
import { StackError } from "../part.ts";
import { demoPassword } from "../seed.ts";
import type { StackInfo } from "../stack.ts";
import { taskRunner } from "../terminal.ts";

/** What somebody heard on their own channel, and when. */
export interface Heard<T = Record<string, unknown>> {
  event: string;
  payload: T;
  arrived: number;
}

/** A demo person who is signed in, and listens. */
export interface Member {
  name: string;
  email: string;
  id: string;
  client: SupabaseClient;
  heard: Heard[];
}

const makePeople = `\`${taskRunner()} seed\` makes the demo people again.`;

export async function signIn(stack: StackInfo, email: string): Promise<SupabaseClient> {
  const client = createClient(stack.url, stack.publishableKey, {
    auth: { persistSession: false, autoRefreshToken: false },
  });
  const { error } = await client.auth.signInWithPassword({ email, password: demoPassword });
  if (error) throw new StackError(`${email} cannot sign in: ${error.message}. ${makePeople}`);
  return client;
}

/** Signs a member of the time bank in, and keeps what arrives on their own channel. */
export async function listen(stack: StackInfo, name: string): Promise<Member> {
  const email = `${name}@timebank.test`;
  const client = await signIn(stack, email);
  const { data: { session } } = await client.auth.getSession();
  const member: Member = {
    name: name.charAt(0).toUpperCase() + name.slice(1),
    email,
    id: session!.user.id,
    client,
    heard: [],
  };
  await client.realtime.setAuth(session!.access_token);
  const channel = client.channel(`private-user-${member.id}`, { config: { private: true } })
    .on("broadcast", { event: "*" }, ({ event, payload }) => {
      member.heard.push({ event, payload, arrived: Date.now() });
    });
  await subscribed(channel);
  return member;
}

function subscribed(channel: RealtimeChannel): Promise<void> {
  return new Promise((resolve, reject) => {
    channel.subscribe((status, error) => {
      if (status === "SUBSCRIBED") resolve();
      else reject(new StackError(`No live channel: ${status} ${error?.message ?? ""}`));
    });
  });
}

export async function tenantOf(client: SupabaseClient, slug: string): Promise<string> {
  const query = client.from("tenants").select("id").eq("slug", slug);
  const [tenant] = await answer<{ id: string }[]>(query);
  if (!tenant) throw new StackError(`A member of ${slug} does not see it. ${makePeople}`);
  return tenant.id;
}

/** The first event of this name that fits, once it has arrived. */
export async function hears<T>(
  { name, heard }: Member,
  event: string,
  fits: (payload: T) => boolean,
  seconds = 10,
): Promise<Heard<T>> {
  const deadline = Date.now() + seconds * 1000;
  while (Date.now() < deadline) {
    const found = heard.find((one) => one.event === event && fits(one.payload as T));
    if (found) return found as Heard<T>;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new StackError(`${name} did not hear of ${event} within ${seconds} s.`);
}

/** What a call answers; a refusal ends the demo. */
export async function answer<T>(
  call: PromiseLike<{ data: unknown; error: { message: string } | null }>,
): Promise<T> {
  const { data, error } = await call;
  if (error) throw new StackError(`Refused: ${error.message}`);
  return data as T;
}

export function minutes(amount: number): string {
  const size = Math.abs(amount);
  return `${amount < 0 ? "-" : ""}${Math.trunc(size / 60)} h ${size % 60} min`;
}
