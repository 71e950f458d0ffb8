/** What a client asks for when it joins; anything missing or wrong is hosted's default. */
export interface JoinRequest {
  isPrivate: boolean;
  ack: boolean;
  self: boolean;
  /** What is asked for of earlier broadcasts, as the client wrote it; undefined for nothing. */
  replay: unknown;
  replicationReady: boolean;
  presenceEnabled: boolean;
  presenceKey: string;
  postgresChanges: Record<string, unknown>[];
  /** Undefined where the socket's own key counts. */
  accessToken: string | undefined;
}

export type Json = Record<string, unknown>;

export function readJoin(payload: unknown): JoinRequest {
  const join = object(payload);
  const config = object(join.config);
  const broadcast = object(config.broadcast);
  const presence = object(config.presence);
  return {
    isPrivate: flag(config.private),
    ack: flag(broadcast.ack),
    self: flag(broadcast.self),
    replay: broadcast.replay ?? undefined,
    replicationReady: flag(broadcast.replication_ready),
    presenceEnabled: flag(presence.enabled),
    presenceKey: keyOf(presence.key),
    postgresChanges: list(config.postgres_changes).filter(isObject),
    accessToken: text(join.user_token) ?? text(join.access_token),
  };
}

export const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const object = (value: unknown): Json => isObject(value) ? value : {};

const list = (value: unknown): unknown[] => Array.isArray(value) ? value : [];

const text = (value: unknown): string | undefined => typeof value === "string" ? value : undefined;

/** Some clients send their booleans as text. */
const flag = (value: unknown): boolean => value === true || value === "true";

/** A client that names no key is present under one of its own. */
function keyOf(value: unknown): string {
  const named = ["string", "number", "boolean"].includes(typeof value) && value !== "";
  return named ? String(value) : crypto.randomUUID();
}
