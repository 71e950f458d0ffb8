import { ok } from "node:assert/strict";
import { createMember } from "../support/tenants.ts";
import { until } from "../support/wait.ts";
import { createTalkingTenant, type Heard, listen, open, send } from "./support.ts";

const perSecond = 50;
const seconds = 10;

/** The time below which so large a part of the values lies. */
const quantile = (values: number[], part: number) =>
  values.toSorted((a, b) => a - b)[Math.ceil(values.length * part) - 1]!;

Deno.test("R2: at 50 messages a second each is with its receiver within 50 ms (p95)", async () => {
  const tenant = await createTalkingTenant();
  const people = await Promise.all(Array.from({ length: 10 }, () => createMember(tenant)));
  const sentAt = new Map<unknown, number>();
  const latencies: number[] = [];
  const receive = ({ event, payload }: Heard) => {
    const began = event === "message:new" ? sentAt.get(payload.client_id) : undefined;
    if (began !== undefined) latencies.push(performance.now() - began);
  };
  const pairs = await Promise.all([0, 2, 4, 6, 8].map(async (n) => {
    const [sender, receiver] = [people[n]!, people[n + 1]!];
    const ears = await listen(receiver, `private-user-${receiver.id}`, receive);
    return { sender, ears, conversation: await open(sender, tenant, receiver) };
  }));
  try {
    // The first seconds compile and plan.
    const [warmUp, total] = [2 * perSecond, seconds * perSecond];
    const sends: Promise<unknown>[] = [];
    const start = performance.now();
    for (let n = 0; n < warmUp + total; n++) {
      const { sender, conversation } = pairs[n % pairs.length]!;
      const client_id = crypto.randomUUID();
      if (n >= warmUp) sentAt.set(client_id, performance.now());
      sends.push(send(sender, tenant, conversation, { client_id }));
      const due = start + (n + 1) * 1000 / perSecond;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
    }
    await Promise.all(sends);
    await until(() => latencies.length >= 0.99 * total, { timeout: 10_000 });
  } finally {
    await Promise.all(pairs.map(({ ears }) => ears[Symbol.asyncDispose]()));
  }
  const p95 = quantile(latencies, 0.95);
  ok(p95 < 50, `p50 ${quantile(latencies, 0.5).toFixed(1)} ms, p95 ${p95.toFixed(1)} ms`);
});
