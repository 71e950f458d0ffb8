import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { startChild } from "./child.ts";
import { type Claims, type Door, makeDatabase } from "./support.ts";

const users = [1, 2, 3].map((number) => `10000000-0000-4000-8000-00000000000${number}`);

const fixture = `
  create table public.rows (id int primary key, owner uuid);
  insert into public.rows values (1, '${users[0]}'), (2, '${users[1]}'), (3, '${users[2]}');
  alter table public.rows enable row level security;
  create policy rows_select on public.rows for select to authenticated using (owner = auth.uid());
  grant select on public.rows to anon, authenticated, service_role;
  create function public.whoami() returns jsonb language sql volatile as $$
    select jsonb_build_object(
      'role', current_user,
      'uid', auth.uid(),
      'claims', current_setting('request.jwt.claims')::jsonb ->> 'mark',
      'header', current_setting('request.headers')::jsonb ->> 'x-mark'
    ) $$;
  create function public.refuse() returns void language plpgsql as $$
    begin
      raise sqlstate 'PT409' using message = coalesce(auth.uid()::text, current_user);
    end $$;`;

interface Person {
  claims: Claims | null;
  role: string;
  uid: string | null;
  sees: number[];
}

const people: Person[] = [
  ...users.map((uid, index) => ({
    claims: { role: "authenticated", sub: uid },
    role: "authenticated",
    uid,
    sees: [index + 1],
  })),
  { claims: null, role: "anon", uid: null, sees: [] },
  { claims: { role: "service_role" }, role: "service_role", uid: null, sees: [1, 2, 3] },
];

const clients = 32;
const requestsEach = 66;

/** One request of a person, and whether anything in its answer is somebody else's. */
async function isMixedUp(door: Door, person: Person, kind: number, mark: string) {
  const { claims, role, uid, sees } = person;
  const as = claims && { ...claims, mark };
  if (kind === 0) {
    const { body } = await door.call("/rows?select=id&order=id", { as });
    return JSON.stringify(body) !== JSON.stringify(sees.map((id) => ({ id })));
  }
  if (kind === 1) {
    const { body } = await door.call("/rpc/refuse", { body: {}, as });
    return (body as { message: string }).message !== (uid ?? role);
  }
  const { body } = await door.call("/rpc/whoami", { body: {}, as, headers: { "x-mark": mark } });
  const expected = { role, uid, header: mark, claims: as?.mark ?? null };
  try {
    assertEquals(body, expected);
    return false;
  } catch {
    return true;
  }
}

Deno.test("identity never bleeds between pooled requests", async () => {
  await using database = await makeDatabase(fixture);
  await using child = await startChild(database);
  let answered = 0;
  let mixedUp = 0;

  await Promise.all(Array.from({ length: clients }, async (_, client) => {
    for (let number = 0; number < requestsEach; number++) {
      const person = people[(client + number) % people.length]!;
      const mark = `${client}-${number}`;
      if (await isMixedUp(child.door, person, number % 3, mark)) mixedUp++;
      answered++;
    }
  }));

  assertEquals([answered, mixedUp], [clients * requestsEach, 0]);
});
