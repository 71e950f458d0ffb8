/** When a job of `cron.job` is due: at minutes that match, or so many seconds after its last start. */
export type Schedule = { everySeconds: number } | { matches(minute: Date): boolean };

const names = [
  "jan feb mar apr may jun jul aug sep oct nov dec".split(" "),
  "sun mon tue wed thu fri sat".split(" "),
] as const;

/** Reads what `cron.schedule` accepted: five fields in UTC, or `N seconds`. */
export function parseSchedule(text: string): Schedule {
  const fields = text.trim().toLowerCase().split(/\s+/);
  if (/^seconds?$/.test(fields[1] ?? "")) return { everySeconds: Number(fields[0]) };
  const [minute = "", hour = "", day = "", month = "", weekday = ""] = fields;
  const minutes = readField(minute, 0, 59);
  const hours = readField(hour, 0, 23);
  const days = readField(day.replaceAll("$", "32"), 1, 31);
  const months = readField(month, 1, 12, names[0], 1);
  const weekdays = readField(weekday, 0, 7, names[1]);
  // As in every cron: where both days are restricted, either is enough.
  const either = !day.startsWith("*") && !weekday.startsWith("*");
  return {
    matches(at) {
      const onDay = days.has(at.getUTCDate()) || days.has(32) && isLastOfMonth(at);
      const onWeekday = weekdays.has(at.getUTCDay()) || weekdays.has(7) && at.getUTCDay() === 0;
      return minutes.has(at.getUTCMinutes()) && hours.has(at.getUTCHours()) &&
        months.has(at.getUTCMonth() + 1) && (either ? onDay || onWeekday : onDay && onWeekday);
    },
  };
}

function readField(
  field: string,
  lowest: number,
  highest: number,
  words: readonly string[] = [],
  firstWord = 0,
): Set<number> {
  const valueOf = (text: string) => {
    const index = words.indexOf(text);
    return index < 0 ? Number(text) : index + firstWord;
  };
  const values = new Set<number>();
  for (const part of field.split(",")) {
    const [range = "", step] = part.split("/");
    const [from = "", to] = range.split("-");
    const start = from === "*" ? lowest : valueOf(from);
    const open = from === "*" || to === undefined && step !== undefined;
    const end = open ? highest : valueOf(to ?? from);
    for (let value = start; value <= end; value += Number(step ?? 1)) values.add(value);
  }
  return values;
}

function isLastOfMonth(at: Date): boolean {
  const next = new Date(at);
  next.setUTCDate(at.getUTCDate() + 1);
  return next.getUTCDate() === 1;
}
