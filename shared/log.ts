export type Level = "info" | "warn" | "error";

/** Writes one event as one line of JSON. */
export type Log = (level: Level, message: string, fields?: Record<string, unknown>) => void;

const personal: [RegExp, string][] = [
  [/[\w.+-]+@([\w-]+\.)+[a-z]{2,}/gi, "[email]"],
  [/\+\d[\d ()-]{6,18}\d\b/g, "[phone]"],
  [/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, "[token]"],
  [/\bsb_(secret|publishable|temp)_[\w-]+/g, "[key]"],
];

/** Takes out what a log must not keep, wherever a message or a stack carried it along. */
export const mask = (text: string): string =>
  personal.reduce((masked, [pattern, word]) => masked.replace(pattern, word), text);

/** The console is the one output that hosted edge functions collect as logs. */
const toConsole = (level: Level, line: string) => globalThis.console[level](line);

export function createLog(
  source: string,
  write: (level: Level, line: string) => void = toConsole,
): Log {
  return (level, message, fields = {}) => {
    const event = { time: new Date().toISOString(), level, source, message, ...fields };
    write(level, mask(JSON.stringify(event)));
  };
}

/** An error as fields of a log line, with the chain of its causes. */
export function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { error: String(error) };
  const { name, message, stack, cause } = error;
  return {
    error: {
      name,
      message,
      stack,
      ...(cause === undefined ? {} : { cause: describeError(cause) }),
    },
  };
}
