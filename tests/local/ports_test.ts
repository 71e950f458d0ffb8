import assert from "node:assert/strict";
import { isFree, requireFreePort } from "../../local/ports.ts";

/** A port that no listener but an outgoing connection has. */
async function outgoing() {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const [client, server] = await Promise.all([
    Deno.connect({ hostname: "127.0.0.1", port }),
    listener.accept(),
  ]);
  return {
    port: client.localAddr.port,
    // The side that closes first is the one that keeps its port for a minute.
    async end() {
      server.close();
      await client.read(new Uint8Array(1));
      client.close();
      listener.close();
    },
  };
}

Deno.test("a port that an outgoing connection has is waited for, and the wait is told once", async () => {
  const connection = await outgoing();
  const told: string[] = [];
  const free = requireFreePort(connection.port, "a part", {
    tell(line) {
      told.push(line);
      setTimeout(() => connection.end(), 250);
    },
  });
  await free;
  assert.equal(isFree(connection.port), true);
  assert.equal(told.length, 1);
  assert.match(told[0]!, new RegExp(`Port ${connection.port} .*waiting`));
});

Deno.test("a port that stays an outgoing connection's is refused in the end", async () => {
  const connection = await outgoing();
  const refused = requireFreePort(connection.port, "a part", { patience: 150, tell() {} });
  await assert.rejects(refused, { name: "StackError" });
  await connection.end();
});

Deno.test("a port that somebody listens on is refused at once", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await assert.rejects(
    requireFreePort(listener.addr.port, "a part", { tell: () => assert.fail("waited") }),
    /^StackError: Port \d+, where a part should listen, is taken: /,
  );
});
