import { AuthError } from "./errors.ts";

export type Json = Record<string, unknown>;

export const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A JSON body whose members are read by type; a member of another type is refused as GoTrue does. */
export class Body {
  constructor(private readonly members: Json) {}

  static async read(request: Request): Promise<Body> {
    const text = await request.text();
    // Postgres has no text with a NUL in it.
    if (text.includes("\\u0000")) throw unreadable("a NUL character");
    if (text === "") return new Body({});
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      throw unreadable((error as Error).message);
    }
    if (!isObject(value)) throw unreadable("not an object");
    return new Body(value);
  }

  /** A text, or undefined where it is missing, null or empty. */
  text(name: string): string | undefined {
    return this.given(name) || undefined;
  }

  /** A text as it is given, which may be empty; undefined where it is missing or null. */
  given(name: string): string | undefined {
    return this.#member(name, "a string", (value) => typeof value === "string");
  }

  flag(name: string): boolean | undefined {
    return this.#member(name, "a boolean", (value) => typeof value === "boolean");
  }

  object(name: string): Json | undefined {
    return this.#member(name, "an object", isObject);
  }

  #member<T>(name: string, what: string, is: (value: unknown) => boolean): T | undefined {
    const value = this.members[name];
    if (value === undefined || value === null) return undefined;
    if (!is(value)) throw unreadable(`${name} is not ${what}`);
    return value as T;
  }
}

const unreadable = (reason: string) =>
  new AuthError(400, "bad_json", `Could not parse request body as JSON: ${reason}`);
