import { admit } from "./admission.ts";
import { broadcastOf, readReplay, type StoredMessage } from "./archive.ts";
import type { Hub, Transport } from "./hub.ts";
import { isObject, type JoinRequest, readJoin } from "./join.ts";
import { PresenceCalls } from "./presence_calls.ts";
import { Refusal } from "./refusal.ts";
import { Rights } from "./rights.ts";
import type { Extension, Member, Room } from "./rooms.ts";
import { TokenWatch } from "./token_watch.ts";
import { type Claims, isApiKey } from "./tokens.ts";
import { type Frame, type Message, type Serializer, sizeOf } from "./wire.ts";

/** One join of one topic on one socket. Its messages are handled one after the other. */
export class Channel implements Member {
  readonly name: string;
  readonly request: JoinRequest;
  readonly #join: Message;
  readonly #token: TokenWatch;
  readonly #presence: PresenceCalls;
  #queue: Promise<void> = Promise.resolve();
  #closed = false;
  #rights: Rights | undefined;
  #room: Room | undefined;
  #heard = new Set<unknown>();

  constructor(readonly hub: Hub, readonly transport: Transport, join: Message) {
    this.name = join.topic.slice("realtime:".length);
    this.#join = join;
    this.request = readJoin(join.payload);
    const { accessToken } = this.request;
    const own = accessToken !== undefined && !isApiKey(accessToken);
    this.#token = new TokenWatch(hub, own ? accessToken : transport.apiKey, {
      // In turn with the client's messages: none of them sees rights half changed.
      schedule: (work) => void this.#enqueue(work),
      renew: (claims) => this.#renew(claims),
      refuse: (message) => this.shutDown(message),
    });
    this.#presence = new PresenceCalls(this);
  }

  get serializer(): Serializer {
    return this.transport.serializer;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Only asked of a joined channel. */
  get room(): Room {
    return this.#room!;
  }

  get rights(): Rights {
    return this.#rights!;
  }

  reads(extension: Extension): boolean {
    return this.rights.reads(extension);
  }

  heard(id: unknown): boolean {
    return this.#heard.has(id);
  }

  send(frame: Frame): void {
    this.transport.send(frame);
  }

  push(event: string, payload: unknown): void {
    const { joinRef, topic } = this.#join;
    this.send(this.serializer.encode({ joinRef, ref: null, topic, event, payload }));
  }

  reply(message: Message, status: "ok" | "error", response: unknown = {}): void {
    const { ref, topic } = message;
    const { joinRef } = this.#join;
    const payload = { status, response };
    this.send(this.serializer.encode({ joinRef, ref, topic, event: "phx_reply", payload }));
  }

  system(status: "ok" | "error", message: string, extension = "system"): void {
    this.push("system", { extension, status, message, channel: this.name });
  }

  /** Ends the channel with the reason; the socket stays. */
  shutDown(message: string): void {
    if (this.#closed) return;
    this.system("error", message);
    this.close("phx_close");
  }

  /** Frees everything, and says so to a client that still listens. */
  close(farewell?: "phx_close" | "phx_error"): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#token.stop();
    this.transport.forget(this);
    if (this.#room) this.hub.rooms.leave(this.#room, this);
    if (!farewell) return;
    const { joinRef, topic } = this.#join;
    const message = { joinRef, ref: joinRef, topic, event: farewell, payload: {} };
    this.send(this.serializer.encode(message));
  }

  /** Handles a message in its turn; settles when that is done. */
  receive(message: Message): Promise<void> {
    return this.#enqueue(() => this.#handle(message));
  }

  #enqueue(work: () => Promise<void> | void): Promise<void> {
    return this.#queue = this.#queue.then(work).catch((error) => {
      this.hub.log(
        `realtime: ${this.#join.topic}: ${error instanceof Error ? error.stack : error}`,
      );
      this.close("phx_error");
    });
  }

  #handle(message: Message): Promise<void> | void {
    if (this.#closed) return this.transport.refuse(message);
    switch (message.event) {
      case "phx_join":
        return this.#start();
      case "phx_leave":
        return this.#leave(message);
      case "broadcast":
        return this.#broadcast(message);
      case "presence":
        return this.#presence.handle(message);
      case "access_token":
        return isObject(message.payload)
          ? this.#token.offer(message.payload.access_token)
          : undefined;
    }
  }

  async #start(): Promise<void> {
    let earlier: StoredMessage[];
    try {
      admit(this);
      const claims = await this.#token.claims();
      await this.#renew(claims);
      earlier = await this.#earlier();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.reply(this.#join, "error", { reason: error.reason });
      this.close();
      if (error.code === "ClientJoinRateLimitReached") this.transport.close(1000, "");
      return;
    }
    if (this.#closed) return;
    this.#room = this.hub.rooms.enter(this.name, this.request.isPrivate, this);
    this.reply(this.#join, "ok", {
      postgres_changes: this.request.postgresChanges.map((change, id) => ({ ...change, id })),
    });
    this.#presence.start();
    this.#replay(earlier);
    this.#afterJoin();
  }

  /** What the client asked to hear again. */
  async #earlier(): Promise<StoredMessage[]> {
    const wish = readReplay(this.request.replay);
    if (!wish) return [];
    if (!this.reads("broadcast")) throw this.rights.denied();
    return await this.hub.archive.read(this.name, wish);
  }

  #replay(messages: StoredMessage[]): void {
    const { joinRef, topic } = this.#join;
    for (const message of messages) {
      this.#heard.add(message.id);
      const frame = this.serializer.replay(
        joinRef,
        topic,
        broadcastOf(message, { replayed: true }),
      );
      if (frame !== undefined) this.send(frame);
    }
  }

  #afterJoin(): void {
    if (this.request.replicationReady) void this.#announceReplication();
    if (this.request.postgresChanges.length > 0) {
      const reason = "Postgres Changes are not served here, use Broadcast from Database";
      this.system("error", `RealtimeDisabledForConfiguration: ${reason}`, "postgres_changes");
    }
  }

  async #announceReplication(): Promise<void> {
    const ready = await this.hub.replicationReady();
    if (this.#closed) return;
    if (ready) this.system("ok", "Replication connection established");
    else this.shutDown("Replication connection was not established in time");
  }

  /** Takes on the rights of new claims, or throws why the channel cannot go on with them. */
  async #renew(claims: Claims): Promise<void> {
    const { isPrivate } = this.request;
    const subject = { topic: this.name, claims, headers: this.transport.headers };
    const rights = new Rights(subject, isPrivate ? this.hub.authorization : undefined);
    await rights.askToRead(this.#presence.enabled ? ["broadcast", "presence"] : ["broadcast"]);
    if (this.#rights && rights.readsLessThan(this.#rights)) {
      throw new Refusal(
        "Unauthorized",
        `You no longer have permission to read from this Channel topic: ${this.name}`,
      );
    }
    this.#rights = rights;
  }

  #leave(message: Message): void {
    // A leave of an earlier join has been answered by that one's phx_close.
    if (message.joinRef !== null && message.joinRef !== this.#join.joinRef) return;
    this.reply(message, "ok");
    this.close("phx_close");
  }

  async #broadcast(message: Message): Promise<void> {
    const { payload } = message;
    if (!isObject(payload)) return;
    // Hosted is silent here, even to a client that waits for an acknowledgement.
    if (!(await this.mayWrite("broadcast")) || this.#closed) return;
    this.hub.rates.events.add();
    if (sizeOf(payload) > this.hub.limits.payloadBytes) {
      if (this.request.ack) this.reply(message, "error", "payload_size_exceeded");
      return;
    }
    this.room.broadcast(payload, this.request.self ? undefined : this);
    if (this.request.ack) this.reply(message, "ok");
  }

  /** A check that could not be made counts as no, until the next one. */
  async mayWrite(extension: Extension): Promise<boolean> {
    try {
      return await this.rights.writes(extension);
    } catch (error) {
      if (error instanceof Refusal) return false;
      throw error;
    }
  }
}
