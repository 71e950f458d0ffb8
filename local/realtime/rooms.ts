import type { Rate } from "./limits.ts";
import { type Diff, Presence } from "./presence.ts";
import { type Frame, type Serializer, UserBroadcast } from "./wire.ts";

/** What a member may be sent. */
export type Extension = "broadcast" | "presence";

/** One joined channel, as its room sees it. */
export interface Member {
  readonly serializer: Serializer;
  /** True where the policies, or a public room, let the member read it. */
  reads(extension: Extension): boolean;
  /** True for a stored message that the member was given again as it joined. */
  heard(id: unknown): boolean;
  send(frame: Frame): void;
  shutDown(message: string): void;
}

/** Everyone who joined one topic. */
export class Room {
  readonly members = new Set<Member>();
  readonly presence = new Presence<Member>();

  constructor(readonly key: string, readonly topic: string, readonly events: Rate) {}

  /** Sends to every member that may read broadcasts, except the one given. */
  broadcast(payload: unknown, except?: Member): void {
    const reached = this.#deliver("broadcast", "broadcast", payload, except);
    this.events.add(reached.length);
    if (!this.events.exceeded) return;
    for (const member of reached) member.shutDown("Too many messages per second");
  }

  announce(diff: Diff): number {
    return this.#deliver("presence", "presence_diff", diff).length;
  }

  #deliver(extension: Extension, event: string, payload: unknown, except?: Member): Member[] {
    const frames = new Map<Serializer, Frame | undefined>();
    const id = payload instanceof UserBroadcast ? payload.meta?.id : undefined;
    const reached: Member[] = [];
    for (const member of this.members) {
      if (member === except || !member.reads(extension) || member.heard(id)) continue;
      const { serializer } = member;
      if (!frames.has(serializer)) {
        frames.set(serializer, serializer.broadcast(this.topic, event, payload));
      }
      const frame = frames.get(serializer);
      if (frame === undefined) continue;
      member.send(frame);
      reached.push(member);
    }
    return reached;
  }
}

/** All rooms with members; a public and a private room of one name have nothing to do with each other. */
export class Rooms {
  readonly #rooms = new Map<string, Room>();

  constructor(readonly events: Rate) {}

  get size(): number {
    return this.#rooms.size;
  }

  find(name: string, isPrivate: boolean): Room | undefined {
    return this.#rooms.get(keyOf(name, isPrivate));
  }

  enter(name: string, isPrivate: boolean, member: Member): Room {
    const key = keyOf(name, isPrivate);
    let room = this.#rooms.get(key);
    if (!room) this.#rooms.set(key, room = new Room(key, `realtime:${name}`, this.events));
    room.members.add(member);
    return room;
  }

  /** The member's presence leaves with it, and the last one closes the room. */
  leave(room: Room, member: Member): void {
    if (!room.members.delete(member)) return;
    const diff = room.presence.untrack(member);
    if (room.members.size === 0) this.#rooms.delete(room.key);
    else if (diff) room.announce(diff);
  }
}

const keyOf = (name: string, isPrivate: boolean) => `${isPrivate ? "private" : "public"}:${name}`;
