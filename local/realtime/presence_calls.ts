import { isDeepStrictEqual } from "node:util";
import type { Channel } from "./channel.ts";
import { isObject } from "./join.ts";
import { Refusal } from "./refusal.ts";
import { type Message, sizeOf } from "./wire.ts";

/** The presence calls of one channel: track and untrack, counted, allowed and answered. */
export class PresenceCalls {
  readonly #channel: Channel;
  /** A client that only tracks gets presence from then on. */
  #enabled: boolean;
  #tracked: Record<string, unknown> | undefined;
  #window = { calls: 0, endsAt: 0 };

  constructor(channel: Channel) {
    this.#channel = channel;
    this.#enabled = channel.request.presenceEnabled;
  }

  get enabled(): boolean {
    return this.#enabled;
  }

  /** Tells a client that just joined who is there. */
  start(): void {
    if (this.#enabled) this.#sync();
  }

  async handle(message: Message): Promise<void> {
    const call = isObject(message.payload) ? message.payload : {};
    if (typeof call.event !== "string") return this.#channel.reply(message, "ok");
    if (!this.#count()) return this.#channel.shutDown("Client presence rate limit exceeded");
    switch (call.event.toLowerCase()) {
      case "track":
        return await this.#track(message, call.payload === undefined ? {} : call.payload);
      case "untrack":
        return this.#untrack(message);
      default:
        return this.#channel.reply(message, "error");
    }
  }

  async #track(message: Message, payload: unknown): Promise<void> {
    const channel = this.#channel;
    if (!(await this.#allowed())) return channel.reply(message, "error");
    if (channel.closed) return;
    if (!isObject(payload)) {
      return channel.reply(message, "error", { reason: "Presence track payload must be a map" });
    }
    if (isDeepStrictEqual(payload, this.#tracked)) return channel.reply(message, "ok");
    if (sizeOf(payload) > channel.hub.limits.payloadBytes) {
      return channel.shutDown("Track message size exceeded");
    }
    if (!this.#spend()) return;
    const first = !this.#enabled;
    this.#enabled = true;
    this.#tracked = payload;
    const diff = channel.room.presence.track(channel, channel.request.presenceKey, payload);
    channel.reply(message, "ok");
    // It joined without presence, so it does not know yet who was there before.
    if (first) this.#sync();
    channel.hub.rates.presence.add(channel.room.announce(diff));
  }

  #untrack(message: Message): void {
    const { room, hub } = this.#channel;
    this.#tracked = undefined;
    const diff = room.presence.untrack(this.#channel);
    this.#channel.reply(message, "ok");
    if (diff) hub.rates.presence.add(room.announce(diff));
  }

  async #allowed(): Promise<boolean> {
    try {
      await this.#channel.rights.askToRead(["presence"]);
    } catch (error) {
      if (error instanceof Refusal) return false;
      throw error;
    }
    return await this.#channel.mayWrite("presence");
  }

  #sync(): void {
    const { rights, room } = this.#channel;
    if (!rights.reads("presence") || !this.#spend()) return;
    this.#channel.push("presence_state", room.presence.state());
  }

  /** False when all clients together do too much; the channel is closed then. */
  #spend(): boolean {
    const { presence } = this.#channel.hub.rates;
    if (presence.exceeded) {
      this.#channel.shutDown("Too many presence messages per second");
      return false;
    }
    presence.add();
    return true;
  }

  #count(): boolean {
    const { presenceCalls, presenceWindow } = this.#channel.hub.limits;
    const now = Date.now();
    if (now > this.#window.endsAt) this.#window = { calls: 0, endsAt: now + presenceWindow };
    return ++this.#window.calls <= presenceCalls;
  }
}
