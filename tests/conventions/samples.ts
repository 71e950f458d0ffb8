/** A value of each type that RPCs take, with which a call comes as far as its guard and its checks. */
export const sample: Record<string, unknown> = {
  uuid: crypto.randomUUID(),
  text: "x",
  bigint: 1,
  integer: 1,
  smallint: 1,
  numeric: 1,
  boolean: true,
  date: "2026-01-01",
  jsonb: { x: 1 },
  "text[]": [],
  "uuid[]": [],
  "integer[]": [1],
  "timestamp with time zone": "2026-01-01T00:00:00Z",
  "timestamp without time zone": "2199-01-01T00:00:00",
};
