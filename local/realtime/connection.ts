import { Channel } from "./channel.ts";
import type { Handshake } from "./handshake.ts";
import type { Hub, Transport } from "./hub.ts";
import type { Limits } from "./limits.ts";
import { type Frame, MalformedFrame, type Message, type Serializer } from "./wire.ts";

/** One client's socket with the channels it has joined. */
export class Connection implements Transport {
  readonly #hub: Hub;
  readonly #socket: WebSocket;
  readonly #handshake: Handshake;
  readonly #channels = new Map<string, Channel>();
  #waitingBytes = 0;
  #heardAt = Date.now();

  constructor(hub: Hub, socket: WebSocket, handshake: Handshake) {
    this.#hub = hub;
    this.#socket = socket;
    this.#handshake = handshake;
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", ({ data }) => this.#receive(data));
    socket.addEventListener("close", () => this.#abandon());
  }

  get serializer(): Serializer {
    return this.#handshake.serializer;
  }

  get apiKey(): string {
    return this.#handshake.apiKey;
  }

  get headers(): Record<string, string> {
    return this.#handshake.headers;
  }

  get channelCount(): number {
    return this.#channels.size;
  }

  /** Milliseconds since the client last sent something. */
  get silentFor(): number {
    return Date.now() - this.#heardAt;
  }

  send(frame: Frame): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.#socket.send(frame);
    if (this.#socket.bufferedAmount > this.#limits.bufferedBytes) this.close(1008, "too slow");
  }

  refuse(message: Message): void {
    // A topic nobody is on is left as soon as it is asked for.
    if (message.event === "phx_leave") return this.#reply(message, "ok", {});
    this.#reply(message, "error", { reason: "unmatched topic" });
  }

  forget(channel: Channel): void {
    const topic = `realtime:${channel.name}`;
    if (this.#channels.get(topic) === channel) this.#channels.delete(topic);
  }

  close(code: number, reason: string): void {
    this.#abandon();
    if (this.#socket.readyState <= WebSocket.OPEN) this.#socket.close(code, reason);
  }

  /** The stack goes down: clients come back by themselves, as after a restart of hosted. */
  drain(): void {
    for (const channel of this.#channels.values()) {
      channel.system("ok", "Server requested disconnect");
    }
    this.close(1012, "restart");
  }

  get #limits(): Limits {
    return this.#hub.limits;
  }

  #abandon(): void {
    for (const channel of [...this.#channels.values()]) channel.close();
  }

  #receive(data: string | ArrayBuffer): void {
    this.#heardAt = Date.now();
    const frame = typeof data === "string" ? data : new Uint8Array(data);
    if (frame.length > this.#limits.frameBytes) return this.close(1009, "frame too big");
    try {
      this.#route(this.serializer.decode(frame), frame.length);
    } catch (error) {
      if (error instanceof MalformedFrame) return this.close(1007, error.message);
      // Thrown on, it would take the whole stack down.
      this.#hub.log(`realtime: ${error instanceof Error ? error.stack : error}`);
      this.close(1011, "internal error");
    }
  }

  #route(message: Message, size: number): void {
    const { topic, event } = message;
    if (topic === "phoenix" && event === "heartbeat") return this.#reply(message, "ok", {});
    let channel = this.#channels.get(topic);
    if (event === "phx_join" && topic.startsWith("realtime:")) {
      channel?.close("phx_close");
      channel = new Channel(this.#hub, this, message);
      this.#channels.set(topic, channel);
    }
    if (!channel) return this.refuse(message);
    this.#waitingBytes += size;
    if (this.#waitingBytes > this.#limits.bufferedBytes) return this.close(1008, "too fast");
    void channel.receive(message).then(() => this.#waitingBytes -= size);
  }

  #reply(message: Message, status: "ok" | "error", response: unknown): void {
    const payload = { status, response };
    this.send(this.serializer.encode({ ...message, event: "phx_reply", payload }));
  }
}
