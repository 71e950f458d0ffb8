import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import { withDatabase } from "./database.ts";
import { getStack } from "./stack.ts";

export const defaultPassword = "Nexus-demo-1";

/** Somebody who can sign in, and the client they are signed in with. */
export interface Person {
  id: string;
  email: string;
  password: string;
  client: SupabaseClient;
}

/** An address nobody else uses: limits by address stay on, and tests do not run into each other's. */
export function randomAddress(): string {
  return `10.${[...crypto.getRandomValues(new Uint8Array(3))].join(".")}`;
}

/** The client of an operator: the secret key, every right. */
export const admin = (): SupabaseClient => client(getStack().secretKey);

/** A visitor who has not signed in. */
export const anonymous = (): SupabaseClient => client(getStack().publishableKey);

/** A signed-in client; throws the Auth error when the sign-in is refused. */
export async function signIn(email: string, password = defaultPassword): Promise<SupabaseClient> {
  const signedIn = anonymous();
  const { error } = await signedIn.auth.signInWithPassword({ email, password });
  if (error) throw error;
  return signedIn;
}

/** Makes a person with a confirmed address, and signs them in. */
export async function createPerson(
  { email = `${crypto.randomUUID()}@nexus.test`, password = defaultPassword } = {},
): Promise<Person> {
  const { data, error } = await admin().auth.admin.createUser({
    email,
    password,
    email_confirm: true,
  });
  if (error) throw error;
  return { id: data.user.id, email, password, client: await signIn(email, password) };
}

/** Has the person prove themselves now, in whatever session they have. */
export async function proveRecently({ id }: Pick<Person, "id">): Promise<void> {
  await withDatabase((sql) =>
    sql`insert into private.accounts_proofs (session_id, person_id, method)
      select s.id, s.user_id, 'password' from auth.sessions s where s.user_id = ${id}
      on conflict (session_id) do update set proved_at = now()`
  );
}

function client(key: string): SupabaseClient {
  return createClient(getStack().url, key, {
    // Timers of a client that refreshes by itself would outlive the test.
    auth: { persistSession: false, autoRefreshToken: false },
    global: { headers: { "x-forwarded-for": randomAddress() } },
  });
}
