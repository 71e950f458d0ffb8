import { Buffer } from "node:buffer";

export interface ReceivedMail {
  from: string;
  to: string[];
  user: string | undefined;
  /** The mail as it came over the wire. */
  source: string;
}

interface Options {
  login?: { user: string; password: string };
  /** Where there is a certificate, everything is encrypted from the first byte, as on port 465. */
  tls?: { cert: string; key: string };
  /** Answers in place of the server's own, by the first word or two of a command. */
  answers?: Record<string, string>;
}

/** An SMTP server (RFC 5321, AUTH PLAIN) that keeps what it gets. */
export class SmtpServer implements AsyncDisposable {
  readonly mails: ReceivedMail[] = [];
  readonly #listener: Deno.Listener;
  readonly #open = new Set<Deno.Conn>();
  readonly #serving: Promise<void>;

  constructor(readonly options: Options = {}) {
    const where = { hostname: "127.0.0.1", port: 0 };
    this.#listener = options.tls
      ? Deno.listenTls({ ...where, ...options.tls })
      : Deno.listen(where);
    this.#serving = this.#accept();
  }

  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#open) connection.close();
    await this.#serving;
  }

  async #accept(): Promise<void> {
    const talks: Promise<void>[] = [];
    try {
      for await (const connection of this.#listener) {
        this.#open.add(connection);
        // A client that hangs up in the middle is part of the game.
        talks.push(this.#talk(connection).catch(() => {}));
      }
    } catch {
      // The listener was closed between two connections.
    }
    await Promise.all(talks);
  }

  async #talk(connection: Deno.Conn): Promise<void> {
    const say = async (line: string) => {
      await connection.write(new TextEncoder().encode(`${line}\r\n`));
    };
    let mail: ReceivedMail = { from: "", to: [], user: undefined, source: "" };
    let user: string | undefined;
    let inData = false;
    await say("220 smtp.nexus.test ESMTP");
    for await (const line of linesOf(connection)) {
      if (inData) {
        if (line !== ".") {
          mail.source += `${line.startsWith("..") ? line.slice(1) : line}\n`;
          continue;
        }
        inData = false;
        const answer = this.options.answers?.END ?? `250 2.0.0 queued as ${this.mails.length + 1}`;
        if (answer.startsWith("2")) this.mails.push({ ...mail, user });
        if (answer === "HANG UP") break;
        mail = { from: "", to: [], user, source: "" };
        await say(answer);
        continue;
      }
      const command = line.replace(/^(MAIL FROM|RCPT TO|\w+).*$/i, "$1").toUpperCase();
      const fixed = this.options.answers?.[command];
      if (fixed) {
        await say(fixed);
        continue;
      }
      if (command === "EHLO") {
        await say("250-smtp.nexus.test");
        await say(this.options.login ? "250 AUTH PLAIN" : "250 8BITMIME");
      } else if (command === "AUTH") {
        const [, name, password] = Buffer.from(line.split(" ")[2] ?? "", "base64").toString()
          .split("\0");
        const { login } = this.options;
        const good = name === login?.user && password === login?.password;
        if (good) user = name;
        await say(good ? "235 2.7.0 welcome" : "535 5.7.8 bad credentials");
      } else if (command === "MAIL FROM" && this.options.login && !user) {
        await say("530 5.7.0 authenticate first");
      } else if (command === "MAIL FROM") {
        mail.from = /<(.*?)>/.exec(line)?.[1] ?? "";
        await say("250 ok");
      } else if (command === "RCPT TO") {
        mail.to.push(/<(.*?)>/.exec(line)?.[1] ?? "");
        await say("250 ok");
      } else if (command === "DATA") {
        inData = true;
        await say("354 go on");
      } else if (command === "QUIT") {
        await say("221 bye");
        break;
      } else await say("502 no");
    }
    this.#open.delete(connection);
    connection.close();
  }
}

async function* linesOf(connection: Deno.Conn): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(16_384);
  let text = "";
  for (let count; (count = await connection.read(buffer)) !== null;) {
    text += decoder.decode(buffer.subarray(0, count), { stream: true });
    const lines = text.split("\r\n");
    text = lines.pop()!;
    yield* lines;
  }
}
