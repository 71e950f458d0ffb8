import { createClient, type RealtimeChannel, type SupabaseClient } from "@supabase/supabase-js";
import { StackError } from "./part.ts";
import { findStack, runCommand } from "./running.ts";
import { demoPassword } from "./seed.ts";
import type { StackInfo } from "./stack.ts";
import { say, taskRunner } from "./terminal.ts";

/** What `wallet:transfer` carries. */
interface TransferEvent {
  tenant_id: string;
  transfer_id: string;
  currency: string;
  amount: number;
  counterpart: string | null;
  balance_after: number;
  created_at: string;
}

interface Receipt {
  id: string;
  amount: number;
  created_at: string;
  balance_after: number;
  replayed: boolean;
}

interface Member {
  name: string;
  id: string;
  client: SupabaseClient;
  events: { event: TransferEvent; arrived: number }[];
}

const price = 90;
const makePeople = `\`${taskRunner()} seed\` makes the demo people again.`;

/** Two members of the time bank trade minutes: everything here is what any client may do. */
async function demo(stack: StackInfo): Promise<void> {
  const ana = await listen(stack, "ana");
  const ben = await listen(stack, "ben");
  say("Ana and Ben are signed in and listen on their own channels.");
  const timebank = await tenantOf(ana.client, "timebank");
  // Whoever runs this often has Ana with nothing left to give: then it is Ben's turn.
  const [payer, payee] = (await balanceOf(ana)).available >= price ? [ana, ben] : [ben, ana];
  const payment = {
    tenant_id: timebank,
    to_person: payee.id,
    amount: price,
    currency: "hours",
    idempotency_key: crypto.randomUUID(),
    memo: "Bicycle repaired",
    category: "repairs",
  };
  const receipt = await answer<Receipt>(payer.client.rpc("wallet_transfer", payment));
  const left = minutes(receipt.balance_after);
  say(`${payer.name} pays ${payee.name} ${minutes(receipt.amount)} and has ${left} left.`);
  const again = await answer<Receipt>(payer.client.rpc("wallet_transfer", payment));
  if (!again.replayed || again.id !== receipt.id) throw new StackError("The same key moved twice.");
  say("The same key again: the stored answer, nothing moves.");

  const tooMuch = (await balanceOf(payer)).available + 1;
  await refused(payer, "pays a minute more than is available", { ...payment, amount: tooMuch });
  const cafe = await tenantOf(await signIn(stack, "ana@cafe.test"), "cafe");
  await refused(payer, "pays in the café, and is no member there", { ...payment, tenant_id: cafe });

  for (const member of [ana, ben]) await sayArrival(member, receipt);
  for (const member of [ana, ben]) {
    say(`${member.name} has ${minutes((await balanceOf(member)).balance)}.`);
  }
}

async function signIn(stack: StackInfo, email: string): Promise<SupabaseClient> {
  const client = createClient(stack.url, stack.publishableKey, {
    auth: { persistSession: false, autoRefreshToken: false },
  });
  const { error } = await client.auth.signInWithPassword({ email, password: demoPassword });
  if (error) throw new StackError(`${email} cannot sign in: ${error.message}. ${makePeople}`);
  return client;
}

/** Signs a member of the time bank in, and keeps what arrives on their own channel. */
async function listen(stack: StackInfo, name: string): Promise<Member> {
  const client = await signIn(stack, `${name}@timebank.test`);
  const { data: { session } } = await client.auth.getSession();
  const member: Member = {
    name: name.charAt(0).toUpperCase() + name.slice(1),
    id: session!.user.id,
    client,
    events: [],
  };
  await client.realtime.setAuth(session!.access_token);
  const channel = client.channel(`private-user-${member.id}`, { config: { private: true } })
    .on("broadcast", { event: "wallet:transfer" }, ({ payload }) => {
      member.events.push({ event: payload as TransferEvent, arrived: Date.now() });
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

async function tenantOf(client: SupabaseClient, slug: string): Promise<string> {
  const query = client.from("tenants").select("id").eq("slug", slug);
  const [tenant] = await answer<{ id: string }[]>(query);
  if (!tenant) throw new StackError(`A member of ${slug} does not see it. ${makePeople}`);
  return tenant.id;
}

async function balanceOf({ client }: Member): Promise<{ balance: number; available: number }> {
  const query = client.from("wallet_accounts").select("balance, available").eq("currency", "hours");
  const [account] = await answer<{ balance: number; available: number }[]>(query);
  return account ?? { balance: 0, available: 0 };
}

async function sayArrival(member: Member, { id }: Receipt): Promise<void> {
  const { event, arrived } = await arrival(member, id);
  // The stamp is the transaction's own: the figure holds the commit and the whole way to the client.
  const latency = arrived - Date.parse(event.created_at);
  say(
    `${member.name} saw it live: ${signed(event.amount)}, balance ` +
      `${minutes(event.balance_after)} (${latency} ms from the database to the client).`,
  );
}

async function arrival(member: Member, transfer: string) {
  const deadline = Date.now() + 5_000;
  while (Date.now() < deadline) {
    const found = member.events.find(({ event }) => event.transfer_id === transfer);
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new StackError(`${member.name} did not hear of the transfer within 5 s.`);
}

async function answer<T>(
  call: PromiseLike<{ data: unknown; error: { message: string } | null }>,
): Promise<T> {
  const { data, error } = await call;
  if (error) throw new StackError(`Refused: ${error.message}`);
  return data as T;
}

async function refused({ name, client }: Member, what: string, payment: object): Promise<void> {
  const idempotency_key = crypto.randomUUID();
  const { error } = await client.rpc("wallet_transfer", { ...payment, idempotency_key });
  if (!error) throw new StackError(`${name} ${what}: it was not refused.`);
  say(`${name} ${what}: refused (${error.message}).`);
}

function minutes(amount: number): string {
  const size = Math.abs(amount);
  return `${amount < 0 ? "-" : ""}${Math.trunc(size / 60)} h ${size % 60} min`;
}

const signed = (amount: number) => `${amount > 0 ? "+" : "-"}${Math.abs(amount)} min`;

await runCommand(async () => demo(await findStack()));
