import type { StackInfo } from "../stack.ts";
import { say } from "../terminal.ts";
import { answer, hears, type Member, minutes, signIn } from "./members.ts";

/** Has the admin put up a badge that the member's next hour wins, whatever they have by now; its slug. */
export async function putUpBadge(
  stack: StackInfo,
  { id, name, client }: Member,
  tenant_id: string,
): Promise<string> {
  const board = await answer<{ person_id: string; score: number }[]>(
    client.rpc("gamification_near", { tenant_id, measure: "credits_earned" }),
  );
  const earned = board.find(({ person_id }) => person_id === id)?.score ?? 0;
  const badge = {
    slug: `given_${name.toLowerCase()}_${earned}`,
    name: earned > 0 ? `More than ${minutes(earned)} given` : "The first hour given",
    tier: "bronze",
    condition: { credits_earned: earned + 1 },
  };
  const admin = await signIn(stack, "admin@timebank.test");
  await answer(admin.rpc("gamification_badge_save", { tenant_id, ...badge }));
  say(`The admin puts up a badge: "${badge.name}".`);
  return badge.slug;
}

/** Says that the badge was won, once it is told live. */
export async function sayBadge(member: Member, slug: string): Promise<void> {
  const { payload } = await hears<{ badge: string; name: string }>(
    member,
    "gamification:badge",
    ({ badge }) => badge === slug,
    60,
  );
  say(`${member.name} wins the badge "${payload.name}", live.`);
}
