import type { Caller } from "../auth/tokens.ts";
import type { Database } from "../database/client.ts";
import type { ProblemError } from "../errors/problem.ts";
import type { Services } from "../services.ts";
import type { TraceContext } from "../tracing.ts";

/** What a handler finds in `c.var` on every route. */
export interface Env {
  Variables: {
    services: Services;
    requestId: string;
    trace: TraceContext;
    /** Who asks and in which tenant, once a route's middleware found out: for the log. */
    caller?: Caller;
    tenant?: Tenant;
    /** The problem that the request ended with. */
    problem?: ProblemError;
  };
}

/** On routes behind `operator`: the database with the rights of the secret key or of the person. */
export interface ForOperators extends Env {
  Variables: Env["Variables"] & { database: Database; bySecretKey: boolean };
}

/** On routes behind `signedIn`: who asks, and the database with their rights. */
export interface SignedIn extends Env {
  Variables: Env["Variables"] & { caller: Caller; database: Database };
}

/** The membership a request speaks for. */
export interface Tenant {
  id: string;
  role: string;
}

/** On routes behind `inTenant`. */
export interface InTenant extends SignedIn {
  Variables: SignedIn["Variables"] & { tenant: Tenant };
}
