import { invalid } from "./errors.ts";

const units: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  "µs": 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

/** Until when a `ban_duration` (`24h`, `1h30m`, `none`) lasts; undefined where none is given. */
export function banEnd(duration: string | undefined): Date | null | undefined {
  if (duration === undefined) return undefined;
  if (duration === "none") return null;
  if (!/^-?(\d+(\.\d*)?(ns|us|µs|ms|s|m|h))+$/.test(duration)) {
    throw invalid(`invalid format for ban duration: time: invalid duration "${duration}"`);
  }
  const parts = [...duration.matchAll(/([\d.]+)(ns|us|µs|ms|s|m|h)/g)];
  const length = parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * units[unit!]!, 0);
  const end = new Date(Date.now() + (duration.startsWith("-") ? -length : length));
  if (Number.isNaN(end.getTime())) throw invalid("invalid format for ban duration: out of range");
  return length === 0 ? null : end;
}
