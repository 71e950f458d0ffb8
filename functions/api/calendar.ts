/** One event as the database hands it to a calendar. */
export interface CalendarEvent {
  uid: string;
  starts_at: string;
  ends_at: string;
  status: "scheduled" | "cancelled";
  sequence: number;
  updated_at: string;
  title: string;
  description: string | null;
  place: string | null;
  url: string | null;
}

export interface Calendar {
  name: string;
  events: CalendarEvent[];
}

/**
 * A calendar as RFC 5545 writes it. Each occurrence is an event of its own with times in UTC: what
 * was moved or cancelled is so in every program, and none has to know our time zones.
 */
export function calendarText({ name, events }: Calendar): string {
  const lines = [
    "BEGIN:VCALENDAR",
    "VERSION:2.0",
    "PRODID:-//Nexus//Events//EN",
    "CALSCALE:GREGORIAN",
    "METHOD:PUBLISH",
    `X-WR-CALNAME:${escaped(name)}`,
    "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
    ...events.flatMap(eventLines),
    "END:VCALENDAR",
  ];
  return lines.map(folded).join("\r\n") + "\r\n";
}

function eventLines(event: CalendarEvent): string[] {
  const { description, place, url } = event;
  return [
    "BEGIN:VEVENT",
    `UID:${event.uid}@nexus`,
    `DTSTAMP:${utc(event.updated_at)}`,
    `LAST-MODIFIED:${utc(event.updated_at)}`,
    `DTSTART:${utc(event.starts_at)}`,
    `DTEND:${utc(event.ends_at)}`,
    `SEQUENCE:${event.sequence}`,
    `STATUS:${event.status === "cancelled" ? "CANCELLED" : "CONFIRMED"}`,
    `SUMMARY:${escaped(event.title)}`,
    ...(description ? [`DESCRIPTION:${escaped(description)}`] : []),
    ...(place ? [`LOCATION:${escaped(place)}`] : []),
    // A URI is no TEXT: what could end its line is taken out, the rest stays as it is.
    ...(url ? [`URL:${url.replaceAll(/\p{Cc}/gu, "")}`] : []),
    "END:VEVENT",
  ];
}

const utc = (time: string) =>
  `${new Date(time).toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z`;

const controls = /(?![\t\n])\p{Cc}/gu;

/** A value of type TEXT (3.3.11): no character in it ends the value or the line. */
const escaped = (text: string) =>
  text.replaceAll(/\r\n?/g, "\n").replaceAll(controls, "")
    .replaceAll("\\", "\\\\").replaceAll(";", "\\;").replaceAll(",", "\\,").replaceAll("\n", "\\n");

/** A line in pieces of 75 octets at most (3.1), never through the middle of a character. */
function folded(line: string): string {
  const encoder = new TextEncoder();
  const pieces = [""];
  let room = 75;
  for (const character of line) {
    const size = encoder.encode(character).length;
    if (size > room) {
      pieces.push("");
      room = 74;
    }
    pieces[pieces.length - 1] += character;
    room -= size;
  }
  return pieces.join("\r\n ");
}
