import { Connection } from "./connection.ts";
import { readHandshake, refuse } from "./handshake.ts";
import type { Hub } from "./hub.ts";

/** All open sockets. */
export class Connections {
  readonly #hub: Hub;
  readonly #open = new Map<WebSocket, Connection>();
  readonly #sweep: ReturnType<typeof setInterval>;
  #draining = false;

  constructor(hub: Hub) {
    this.#hub = hub;
    // One timer for all: a socket costs no timer of its own.
    this.#sweep = setInterval(() => this.#closeSilent(), hub.limits.idleTimeout / 10);
  }

  get size(): number {
    return this.#open.size;
  }

  /** Upgrades the request to a socket, or says why not. */
  async accept(request: Request): Promise<Response> {
    // Read whole before the upgrade: Deno closes the request with it.
    const handshake = await readHandshake(request, this.#hub.keys);
    if (handshake instanceof Response) return handshake;
    if (this.#draining) return refuse(503, "Realtime is restarting, please standby");
    if (this.#open.size >= this.#hub.limits.connections) {
      return refuse(429, "Too many connected users");
    }
    // Deno's own timeout finds clients whose network is gone: they answer no ping.
    const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 60 });
    this.#open.set(socket, new Connection(this.#hub, socket, handshake));
    socket.addEventListener("close", () => this.#open.delete(socket));
    socket.addEventListener("error", () => {});
    return response;
  }

  /** Closes every socket so that its client comes back; resolves when the clients have let go. */
  async stop(): Promise<void> {
    this.#draining = true;
    clearInterval(this.#sweep);
    await Promise.all([...this.#open].map(([socket, connection]) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      socket.addEventListener("close", () => resolve());
      connection.drain();
      return promise;
    }));
  }

  #closeSilent(): void {
    for (const connection of this.#open.values()) {
      if (connection.silentFor > this.#hub.limits.idleTimeout) connection.close(1000, "");
    }
  }
}
