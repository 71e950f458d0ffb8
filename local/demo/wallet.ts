import { StackError } from "../part.ts";
import type { StackInfo } from "../stack.ts";
import { say } from "../terminal.ts";
import { answer, hears, listen, type Member, minutes, signIn, tenantOf } from "./members.ts";

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

const price = 90;

/** Two members of the time bank trade minutes: everything here is what any client may do. */
export async function playWallet(stack: StackInfo): Promise<void> {
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

  for (const member of [ana, ben]) await sayPayment(member, receipt.id);
  for (const member of [ana, ben]) {
    say(`${member.name} has ${minutes((await balanceOf(member)).balance)}.`);
  }
}

export async function balanceOf(
  { client }: Member,
): Promise<{ balance: number; available: number }> {
  const query = client.from("wallet_accounts").select("balance, available").eq("currency", "hours");
  const [account] = await answer<{ balance: number; available: number }[]>(query);
  return account ?? { balance: 0, available: 0 };
}

/** Says how a payment arrived on somebody's own channel. */
export async function sayPayment(member: Member, transfer: string): Promise<void> {
  const { payload, arrived } = await hears<TransferEvent>(
    member,
    "wallet:transfer",
    ({ transfer_id }) => transfer_id === transfer,
  );
  // The stamp is the transaction's own: the figure holds the commit and the whole way to the client.
  const latency = arrived - Date.parse(payload.created_at);
  say(
    `${member.name} saw it live: ${signed(payload.amount)}, balance ` +
      `${minutes(payload.balance_after)} (${latency} ms from the database to the client).`,
  );
}

async function refused({ name, client }: Member, what: string, payment: object): Promise<void> {
  const idempotency_key = crypto.randomUUID();
  const { error } = await client.rpc("wallet_transfer", { ...payment, idempotency_key });
  if (!error) throw new StackError(`${name} ${what}: it was not refused.`);
  say(`${name} ${what}: refused (${error.message}).`);
}

const signed = (amount: number) => `${amount > 0 ? "+" : "-"}${Math.abs(amount)} min`;
