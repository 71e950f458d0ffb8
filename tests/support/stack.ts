/** The stack under test: the embedded one of `tests/run.ts`, `supabase start`, or a hosted project. */
export interface StackUnderTest {
  url: string;
  publishableKey: string;
  secretKey: string;
  databaseUrl: string;
}

/** Reads where the stack is from the environment, where `tests/run.ts` puts it. */
export function getStack(): StackUnderTest {
  const variable = (name: string) => {
    const value = Deno.env.get(name);
    if (!value) throw new Error(`${name} is not set: run tests by \`deno task test [path …]\`.`);
    return value;
  };
  return {
    url: variable("SUPABASE_URL"),
    publishableKey: variable("SUPABASE_PUBLISHABLE_KEY"),
    secretKey: variable("SUPABASE_SECRET_KEY"),
    databaseUrl: variable("SUPABASE_DB_URL"),
  };
}
