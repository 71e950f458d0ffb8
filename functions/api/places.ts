import { decodeJwt } from "jose";
import type { Env } from "shared/http/env.ts";
import { clientPlace, originOf } from "shared/http/origin.ts";
import type { HonoRequest } from "hono";

interface Asked {
  req: HonoRequest;
  var: Env["Variables"];
}

/** Keeps from which country a session is used, where a proxy in front of us tells. */
export async function notePlace(c: Asked, session: string, person: string): Promise<void> {
  const { config, database } = c.var.services;
  const place = clientPlace(c.req, config.http.clientPlaceHeader);
  if (place === undefined) return;
  const origin = originOf(c.req, c.var);
  await database.asService(origin).rpc("sessions_note_place", { session, person, place });
}

/** The same for a session that has just begun, or was refreshed: by the token that Auth gave for it. */
export async function notePlaceOf(c: Asked, { access_token }: { access_token: string }) {
  const { session_id, sub } = decodeJwt(access_token);
  await notePlace(c, String(session_id), String(sub));
}
