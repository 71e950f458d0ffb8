import { startGateway } from "../../../local/gateway/mod.ts";
import { type Keys, loadKeys } from "../../../local/keys.ts";
import type { Part } from "../../../local/part.ts";
import { freePort } from "../../../local/ports.ts";
import { readSettings } from "../../../local/settings.ts";

export const internalSecret = "a secret only the gateway and the Data API know";

/** A gateway of its own, in front of parts that tell what reached them. */
export interface Door {
  url: string;
  keys: Keys;
  log: string[];
  call(path: string, init?: RequestInit): Promise<Response>;
}

/** What an echoing part answers. */
export interface Seen {
  part: string;
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string;
  address: string;
}

export async function withDoor(
  test: (door: Door) => Promise<void>,
  {
    parts = {} as Partial<Record<"rest" | "auth" | "realtime" | "functions" | "storage", Part>>,
    jwtSecret = "",
  } = {},
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const port = freePort();
  const url = `http://127.0.0.1:${port}`;
  const settings = readSettings([], {});
  const keys = await loadKeys(folder, `${url}/auth/v1`, jwtSecret || undefined);
  const log: string[] = [];
  const gateway = startGateway({
    settings: { ...settings, ports: { ...settings.ports, api: port } },
    keys,
    internalSecret,
    parts: {
      rest: echo("rest"),
      auth: echo("auth"),
      realtime: echo("realtime"),
      functions: echo("functions"),
      storage: echo("storage"),
      ...parts,
    },
    log: (line) => log.push(line),
  });
  try {
    await test({ url, keys, log, call: (path, init) => fetch(url + path, init) });
  } finally {
    await gateway.stop();
    await Deno.remove(folder, { recursive: true });
  }
}

/** The status of an answer and its JSON body. */
export async function answer(response: Response): Promise<[number, unknown]> {
  return [response.status, await response.json()];
}

function echo(part: string): Part {
  return {
    async fetch(request, caller) {
      const { pathname, search } = new URL(request.url);
      const seen: Seen = {
        part,
        method: request.method,
        path: pathname + search,
        headers: Object.fromEntries(request.headers),
        body: await request.text(),
        address: caller.address,
      };
      return Response.json(seen, { headers: { "x-part": part } });
    },
    stop: () => Promise.resolve(),
  };
}
