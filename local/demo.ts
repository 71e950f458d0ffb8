import { createClient, type RealtimeChannel, type SupabaseClient } from "@supabase/supabase-js";
import { StackError } from "./part.ts";
import { findStack, runCommand } from "./running.ts";
import { demoPassword } from "./seed.ts";
import type { StackInfo } from "./stack.ts";
import { say } from "./terminal.ts";

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

/** Two members of the time bank trade minutes: everything here is what any client may do. */
async function demo(stack: StackInfo): Promise<void> {
  const ana = await signIn(stack, "ana");
  const ben = await signIn(stack, "ben");
  say("Ana and Ben are signed in and listen on their own channels.");
  const tenants = await answer<{ id: string; slug: string }[]>(
    ana.client.from("tenants").select("id, slug"),
  );
  const timebank = tenants.find(({ slug }) => slug === "timebank");
  if (!timebank) throw new StackError("Ana is not in the time bank: run `deno task seed`.");

  const payment = {
    tenant_id: timebank.id,
    to_person: ben.id,
    amount: 90,
    currency: "hours",
    idempotency_key: crypto.randomUUID(),
    memo: "Bicycle repaired",
    category: "repairs",
  };
  const receipt = await answer<Receipt>(ana.client.rpc("wallet_transfer", payment));
  say(`Ana pays Ben ${minutes(receipt.amount)}. She has ${minutes(receipt.balance_after)} left.`);
  const again = await answer<Receipt>(ana.client.rpc("wallet_transfer", payment));
  say(
    `The same key again: ${again.replayed ? "the stored answer, nothing moves" : "MOVED TWICE"}.`,
  );

  await refused(
    "Ana pays more than she has",
    ana.client.rpc("wallet_transfer", {
      ...payment,
      amount: 1_000_000,
      idempotency_key: crypto.randomUUID(),
    }),
  );
  await refused(
    "Ana pays in a tenant she is not in",
    ana.client.rpc("wallet_transfer", {
      ...payment,
      tenant_id: crypto.randomUUID(),
      idempotency_key: crypto.randomUUID(),
    }),
  );
  for (const member of [ana, ben]) {
    const { event, arrived } = await arrival(member, receipt.id);
    // The stamp is the transaction's own: the figure holds the commit and the whole way to the client.
    const latency = arrived - Date.parse(event.created_at);
    say(
      `${member.name} saw it live: ${signed(event.amount)}, balance ${
        minutes(event.balance_after)
      }` +
        ` (${latency} ms from the database to the client).`,
    );
  }
  for (const member of [ana, ben]) {
    const [account] = await answer<{ balance: number; available: number }[]>(
      member.client.from("wallet_accounts").select("balance, available").eq("currency", "hours"),
    );
    say(`${member.name} has ${minutes(account!.balance)}.`);
  }
}

async function signIn(stack: StackInfo, name: string): Promise<Member> {
  const client = createClient(stack.url, stack.publishableKey, {
    auth: { persistSession: false, autoRefreshToken: false },
  });
  const { data, error } = await client.auth.signInWithPassword({
    email: `${name}@timebank.test`,
    password: demoPassword,
  });
  if (error) throw new StackError(`${name} cannot sign in: ${error.message}`);
  const member: Member = {
    name: name.charAt(0).toUpperCase() + name.slice(1),
    id: data.user.id,
    client,
    events: [],
  };
  await client.realtime.setAuth(data.session.access_token);
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

async function refused(what: string, call: PromiseLike<{ error: { message: string } | null }>) {
  const { error } = await call;
  if (!error) throw new StackError(`${what}: it was not refused.`);
  say(`${what}: refused (${error.message}).`);
}

const minutes = (amount: number) => `${Math.trunc(amount / 60)} h ${amount % 60} min`;
const signed = (amount: number) => `${amount > 0 ? "+" : "-"}${Math.abs(amount)} min`;

await runCommand(async () => demo(await findStack()));
