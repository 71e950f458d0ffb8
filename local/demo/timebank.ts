import type { StackInfo } from "../stack.ts";
import { say } from "../terminal.ts";
import { putUpBadge, sayBadge } from "./badge.ts";
import { readDigest } from "./digest.ts";
import { answer, hears, listen, type Member, minutes, tenantOf } from "./members.ts";
import { balanceOf, sayPayment } from "./wallet.ts";

interface Exchange {
  id: string;
  status: string;
  final_minutes: number;
  transfer_id: string;
}

/** What `exchanges:changed` carries, as far as it is said here. */
interface Changed {
  exchange_id: string;
  status: string;
}

const title = "Bicycle repairs";

/**
 * A day at the time bank: a listing found, an exchange agreed, confirmed and paid, a badge won, and
 * the digest in the evening. Everything here is what any client may do, and it can be done again.
 */
export async function playTimeBank(stack: StackInfo): Promise<void> {
  const people = await Promise.all(["ana", "ben"].map((name) => listen(stack, name)));
  const [ana, ben] = people as [Member, Member];
  // Whoever runs this often has Ana with nothing left to give: then it is Ben who asks.
  const [asker, giver] = (await balanceOf(ana)).available >= 120 ? [ana, ben] : [ben, ana];
  const tenant_id = await tenantOf(asker.client, "timebank");
  const call = <T>({ client }: Member, name: string, args: object = {}) =>
    answer<T>(client.rpc(name, { tenant_id, ...args }));

  const badge = await putUpBadge(stack, giver, tenant_id);
  const listing_id = await offer(stack, giver, tenant_id);
  const [hit] = await call<{ title: string }[]>(asker, "listings_search", {
    query: "bicicle repair",
    sort: "best",
  });
  say(`${asker.name} looks for "bicicle repair" and finds "${hit?.title}".`);

  await forgetOpen(asker, tenant_id);
  const asked = { listing_id, minutes: 90, note: "The chain comes off." };
  const { id: exchange_id } = await call<Exchange>(asker, "exchanges_request", asked);
  await hears<Changed>(giver, "exchanges:changed", (told) => told.exchange_id === exchange_id);
  say(`${asker.name} asks ${giver.name} for an hour and a half, who sees it live.`);
  await call(giver, "exchanges_accept", { exchange_id });
  await call(giver, "exchanges_start", { exchange_id });
  say(`${giver.name} accepts, comes round and repairs it.`);
  await call(giver, "exchanges_confirm", { exchange_id, minutes: 100 });
  const paid = await call<Exchange>(asker, "exchanges_confirm", { exchange_id, minutes: 90 });
  say(
    `${giver.name} says it took 100 minutes, ${asker.name} says 90: the average is paid, ` +
      `${minutes(paid.final_minutes)}.`,
  );
  for (const member of [asker, giver]) await sayPayment(member, paid.transfer_id);
  await sayBadge(giver, badge);

  const praise = { exchange_id, rating: 5, body: "Runs like new." };
  const { id: review_id } = await call<{ id: string }>(asker, "exchanges_review", praise);
  await call(giver, "exchanges_reply", { review_id, body: "Any time." });
  const rating = asker.client.from("exchanges_ratings").select("average").eq("person_id", giver.id);
  const [rated] = await answer<{ average: number }[]>(rating);
  say(
    `${asker.name} gives five stars, ${giver.name} answers; the average is ${rated!.average} now.`,
  );
  await readDigest(stack, giver, tenant_id);
}

/** The giver's listing: the one of the last time, where there is one. */
async function offer(stack: StackInfo, giver: Member, tenant_id: string): Promise<string> {
  const known = giver.client.from("listings").select("id, status")
    .eq("tenant_id", tenant_id).eq("owner_id", giver.id).eq("title", title).eq("status", "active");
  const [before] = await answer<{ id: string }[]>(known);
  if (before) {
    say(`${giver.name} offers "${title}", as before.`);
    return before.id;
  }
  const changes = {
    kind: "offer",
    title,
    description: "Brakes, chains, flat tyres: at your place or mine.",
    tags: ["bicycle", "repair"],
    minutes: 90,
  };
  const { id } = await answer<{ id: string }>(
    giver.client.rpc("listings_save", { tenant_id, changes }),
  );
  const { status } = await answer<{ status: string }>(
    giver.client.rpc("listings_publish", { tenant_id, listing: id }),
  );
  if (status === "pending") {
    const staff = await listen(stack, "staff");
    await answer(staff.client.rpc("listings_approve", { tenant_id, listing: id }));
  }
  say(`${giver.name} offers "${title}".`);
  return id;
}

/** Ends what a demo that was stopped halfway left open, so that the same can be asked again. */
async function forgetOpen({ client }: Member, tenant_id: string): Promise<void> {
  const open = await answer<Exchange[]>(
    client.rpc("exchanges_list", { tenant_id, box: "open", page_size: 100 }),
  );
  for (const { id, status } of open) {
    if (status === "pending_confirmation" || status === "disputed") continue;
    await answer(client.rpc("exchanges_cancel", { tenant_id, exchange_id: id }));
  }
}
