import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { ana, authenticated, type Claims, type Door, openDoors } from "./support.ts";

const fixture = `
  create function public.context() returns jsonb language sql volatile as $$
    select jsonb_build_object(
      'role', current_user,
      'uid', auth.uid(),
      'claims', current_setting('request.jwt.claims', true)::jsonb,
      'legacy', current_setting('request.jwt.claim.sub', true),
      'method', current_setting('request.method', true),
      'path', current_setting('request.path', true),
      'headers', nullif(current_setting('request.headers', true), '')::jsonb,
      'timeout', current_setting('statement_timeout'),
      'search_path', current_setting('search_path'),
      'read_only', current_setting('transaction_read_only')
    ) $$;
  create view public.contexts with (security_invoker = true) as select public.context() as context;
  grant select on public.contexts to anon, authenticated, service_role;

  create table public.revoked (id int primary key);
  create table public.mine (id int primary key, owner uuid, name text);
  alter table public.mine enable row level security;
  create policy mine_select on public.mine for select to authenticated using (owner = auth.uid());
  create policy mine_update on public.mine for update to authenticated using (owner = auth.uid());
  grant select, update on public.mine to authenticated;
  insert into public.mine values (1, '${ana}', 'a'), (2, '${ana}', 'b'), (3, null, 'c');

  create function public.quick() returns void language sql set statement_timeout = '200ms'
    as $$ select pg_sleep(2) $$;
  create function public.isolated() returns text language sql
    set default_transaction_isolation = 'serializable'
    as $$ select current_setting('transaction_isolation') $$;
  create function public.write() returns int language sql volatile
    as $$ update public.mine set name = name returning 1 $$;
  create function public.stable_write() returns int language plpgsql stable
    as $$ begin return public.write(); end $$;
  create function public.refuse_after_write() returns jsonb language plpgsql as $$
    begin
      update public.mine set name = 'counted' where id = 2;
      perform set_config('response.status', '409', true);
      return '{}';
    end $$;`;

async function contextOf(door: Door, path: string, as: Claims | null = authenticated) {
  const call = path.startsWith("/rpc/") ? { body: {} } : {};
  const { body } = await door.call(path, { ...call, as, headers: { "x-trace": "t1" } });
  return (Array.isArray(body) ? body[0].context : body) as Record<string, unknown>;
}

Deno.test("a request runs as its caller", async (t) => {
  await using doors = await openDoors(fixture);
  const { mended, plain } = doors;

  await t.step("role and claims, whole, and none of the legacy ones", async () => {
    const claims = { ...authenticated, app_metadata: { a: [1] }, session_id: "s", exp: 4e9 };
    for (const path of ["/rpc/context", "/contexts"]) {
      const context = await contextOf(mended, path, claims);
      assertEquals([context.role, context.uid], ["authenticated", ana]);
      assertEquals(context.claims, claims);
      assertEquals(context.legacy, null);
    }
    assertEquals((await contextOf(plain, "/rpc/context", claims)).legacy, ana);
  });

  await t.step("without a token: anon, and claims that say so", async () => {
    const { role, claims } = await contextOf(mended, "/contexts", null);
    assertEquals([role, claims], ["anon", { role: "anon" }]);
  });

  await t.step("the request is told for tables as for functions", async () => {
    const { method, path, headers } = await contextOf(mended, "/contexts?select=context");
    assertEquals([method, path, (headers as Claims)["x-trace"]], ["GET", "/contexts", "t1"]);
    const lites = await contextOf(plain, "/contexts");
    assertEquals([lites.method, lites.headers], ["", null]);
  });

  await t.step("the gateway's token is not", async () => {
    const { headers } = await contextOf(mended, "/rpc/context");
    assertEquals("authorization" in (headers as Claims), false);
  });

  await t.step("the role's own statement timeout holds", async () => {
    const timeout = async (door: Door, as: Claims | null) =>
      (await contextOf(door, "/rpc/context", as)).timeout;
    assertEquals(await timeout(mended, null), "3s");
    assertEquals(await timeout(mended, authenticated), "8s");
    assertEquals(await timeout(plain, authenticated), "0");
  });

  await t.step("extensions are on the search path", async () => {
    const { search_path } = await contextOf(mended, "/rpc/context");
    assertEquals(search_path, '"public", "public", "extensions"');
  });

  await t.step("a revoked table stays closed", async () => {
    assertEquals((await mended.call("/revoked")).status, 403);
    // Lite has granted everything, because another table has row level security.
    assertEquals((await plain.call("/revoked")).status, 200);
  });

  await t.step("a token cannot name a role that API callers may not be", async () => {
    for (const role of ["postgres", "supabase_admin"]) {
      assertEquals((await mended.call("/revoked", { as: { role } })).status, 403);
    }
    assertEquals(
      (await plain.call("/rpc/context", { body: {}, as: { role: "postgres" } })).status,
      200,
    );
  });
});

Deno.test("a request is one transaction", async (t) => {
  await using doors = await openDoors(fixture);
  const { mended, plain } = doors;

  await t.step("a function's statement timeout holds, with 57014", async () => {
    const { status, body } = await mended.call("/rpc/quick", { body: {} });
    assertEquals([status, (body as Claims).code], [500, "57014"]);
    assertEquals((await plain.call("/rpc/quick", { body: {} })).status, 204);
  });

  await t.step("a function's isolation holds", async () => {
    assertEquals(await mended.rpc("isolated"), "serializable");
    assertEquals(await plain.rpc("isolated"), "read committed");
  });

  await t.step("reads cannot write: GET, and functions that are not volatile", async () => {
    assertEquals((await contextOf(mended, "/contexts")).read_only, "on");
    assertEquals((await contextOf(plain, "/contexts")).read_only, "off");
    const { status, body } = await mended.call("/rpc/stable_write", { body: {} });
    assertEquals([status, (body as Claims).code], [405, "25006"]);
    assertEquals((await plain.call("/rpc/stable_write", { body: {} })).status, 200);
  });

  await t.step("a write that is refused for its number of rows is undone", async () => {
    const write = async (door: Door) => {
      const headers = {
        accept: "application/vnd.pgrst.object+json",
        prefer: "return=representation",
      };
      const call = { method: "PATCH", body: { name: "z" }, headers };
      const { status } = await door.call("/mine?id=lt.3&select=id", call);
      return [status, await door.get("/mine?select=name&order=id")];
    };
    assertEquals(await write(mended), [406, [{ name: "a" }, { name: "b" }]]);
    assertEquals(await write(plain), [406, [{ name: "z" }, { name: "z" }]]);
  });

  await t.step("a status that a function chose keeps what it wrote", async () => {
    assertEquals((await mended.call("/rpc/refuse_after_write", { body: {} })).status, 409);
    assertEquals(await mended.get("/mine?select=name&id=eq.2"), [{ name: "counted" }]);
  });
});
