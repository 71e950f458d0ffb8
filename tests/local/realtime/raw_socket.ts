import { until } from "../../support/wait.ts";

/** A frame of the server, binary ones as realtime-js reads them. */
export interface Received {
  joinRef: string | null;
  ref: string | null;
  topic: string;
  event: string;
  payload: Record<string, unknown>;
  binary: boolean;
  /** The frame, or the payload of a binary one, as it came. */
  text: string;
}

export interface Reply {
  status: string;
  response: Record<string, unknown>;
}

/** A client that speaks the protocol frame by frame. */
export class RawSocket implements AsyncDisposable {
  readonly received: Received[] = [];
  readonly closed: Promise<CloseEvent>;
  readonly #socket: WebSocket;
  readonly #vsn1: boolean;
  #ref = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    this.#vsn1 = socket.url.endsWith("vsn=1.0.0");
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", ({ data }) => this.received.push(decode(data)));
    this.closed = new Promise((resolve) => socket.addEventListener("close", resolve));
  }

  static async open(url: string, apikey: string, vsn = "2.0.0"): Promise<RawSocket> {
    const address = url.replace("http", "ws") + "/realtime/v1/websocket";
    const socket = new WebSocket(`${address}?apikey=${apikey}&vsn=${vsn}`);
    const raw = new RawSocket(socket);
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener("open", () => resolve());
      socket.addEventListener("error", () => reject(new Error("the socket was refused")));
    });
    return raw;
  }

  send(frame: string | Uint8Array<ArrayBuffer>): void {
    this.#socket.send(frame);
  }

  push(topic: string, event: string, payload: unknown, joinRef: string | null = null): string {
    const ref = String(++this.#ref);
    this.send(this.#text(joinRef, ref, topic, event, payload));
    return ref;
  }

  /** The first frame that matches, now or soon. */
  async frame(match: (frame: Received) => boolean, message = ""): Promise<Received> {
    return await until(() => this.received.find(match), { message: message || match.toString() });
  }

  async reply(ref: string): Promise<Reply> {
    const found = await this.frame((frame) => frame.event === "phx_reply" && frame.ref === ref);
    return found.payload as unknown as Reply;
  }

  /** Pushes, and waits for the reply. */
  async call(
    topic: string,
    event: string,
    payload: unknown,
    joinRef: string | null = null,
  ): Promise<Reply> {
    return await this.reply(this.push(topic, event, payload, joinRef));
  }

  /** Joins `realtime:<name>`; the join's reference is the first thing sent on the channel. */
  async join(
    name: string,
    config: Record<string, unknown> = {},
    token?: string,
  ): Promise<Reply & { ref: string }> {
    const ref = String(++this.#ref);
    const payload = { config, ...(token && { access_token: token }) };
    this.send(this.#text(ref, ref, `realtime:${name}`, "phx_join", payload));
    return { ...(await this.reply(ref)), ref };
  }

  /** Frames of one event on one channel, in order. */
  on(name: string, event: string): Received[] {
    return this.received.filter((frame) =>
      frame.topic === `realtime:${name}` && frame.event === event
    );
  }

  /** Everything the server sent before this settles has been received: it answers in order. */
  async settled(): Promise<void> {
    await this.call("phoenix", "heartbeat", {});
  }

  #text(join_ref: string | null, ref: string, topic: string, event: string, payload: unknown) {
    return JSON.stringify(
      this.#vsn1
        ? { topic, event, payload, ref, join_ref }
        : [join_ref, ref, topic, event, payload],
    );
  }

  async [Symbol.asyncDispose]() {
    this.#socket.close();
    await this.closed;
  }
}

function decode(data: string | ArrayBuffer): Received {
  if (typeof data === "string") {
    const parsed = JSON.parse(data);
    if (!Array.isArray(parsed)) return { joinRef: null, ...parsed, binary: false, text: data };
    const [joinRef, ref, topic, event, payload] = parsed;
    return { joinRef, ref, topic, event, payload, binary: false, text: data };
  }
  const bytes = new Uint8Array(data);
  const [kind, topicSize, eventSize, metaSize, encoding] = bytes as unknown as number[];
  if (kind !== 4) throw new Error(`binary frame of kind ${kind}`);
  let offset = 5;
  const text = (size: number) => new TextDecoder().decode(bytes.subarray(offset, offset += size));
  const topic = text(topicSize!);
  const event = text(eventSize!);
  const meta = text(metaSize!);
  const rest = new TextDecoder().decode(bytes.subarray(offset));
  const payload = encoding === 1 ? JSON.parse(rest) : bytes.subarray(offset);
  return {
    joinRef: null,
    ref: null,
    topic,
    event: "broadcast",
    payload: { type: "broadcast", event, payload, ...(meta && { meta: JSON.parse(meta) }) },
    binary: true,
    text: rest,
  };
}

/** The binary frame in which realtime-js sends a broadcast. */
export function userBroadcastPush(
  { joinRef = "", ref = "", topic, event, payload }: {
    joinRef?: string;
    ref?: string;
    topic: string;
    event: string;
    /** Bytes go as they are, anything else as JSON. */
    payload: unknown;
  },
): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const texts = [joinRef, ref, topic, event, ""].map((part) => encoder.encode(part));
  const binary = payload instanceof Uint8Array;
  const body = binary ? payload : encoder.encode(JSON.stringify(payload));
  return Uint8Array.from([
    3,
    ...texts.map((part) => part.length),
    binary ? 0 : 1,
    ...texts.flatMap((part) => [...part]),
    ...body,
  ]);
}
