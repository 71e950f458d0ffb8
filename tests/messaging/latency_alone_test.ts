import { ok } from "node:assert/strict";
import { createMember } from "../support/tenants.ts";
import { until } from "../support/wait.ts";
import { createTalkingTenant, listen, open, send } from "./support.ts";

const perSecond = 50;
const seconds = 10;

/** The time below which so large a part of the values lies. */
const quantile = (values: number[], part: number) =>
  values.toSorted((a, b) => a - b)[Math.ceil(values.length * part) - 1]!;

Deno.test("R2: at 50 messages a second each is with its receiver within 50 ms (p95)", async () => {
  const tenant = await createTalkingTenant();
  const people = await Promise.all(Array.from({ length: 10 }, () => createMember(tenant)));
  const pairs = await Promise.all(
    [0, 2, 4, 6, 8].map(async (n) => {
      const [sender, receiver] = [people[n]!, people[n + 1]!];
      const ears = await listen(receiver, `private-user-${receiver.id}`);
      return { sender, ears, conversation: await open(sender, tenant, receiver) };
    }),
  );
  const sentAt = new Map<string, number>();
  const latencies: number[] = [];
  for (const { sender } of pairs) {
    sender.client.realtime.setAuth(
      (await sender.client.auth.getSession()).data.session!.access_token,
    );
  }
  const noticed = new Set<string>();
  const notice = () => {
    for (const { ears } of pairs) {
      for (const { client_id } of ears.named("message:new").slice(-perSecond)) {
        const began = sentAt.get(String(client_id));
        if (began === undefined || noticed.has(String(client_id))) continue;
        noticed.add(String(client_id));
        latencies.push(performance.now() - began);
      }
    }
  };
  const watch = setInterval(notice, 1);
  try {
    const warmUp = 2 * perSecond;
    const total = seconds * perSecond;
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
    clearInterval(watch);
    await Promise.all(pairs.map(({ ears }) => ears[Symbol.asyncDispose]()));
  }
  const p95 = quantile(latencies, 0.95);
  ok(p95 < 50, `p50 ${quantile(latencies, 0.5).toFixed(1)} ms, p95 ${p95.toFixed(1)} ms`);
});
