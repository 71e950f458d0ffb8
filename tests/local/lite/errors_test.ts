import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { openDoors } from "./support.ts";

const fixture = `
  create function public.fail(code text, message text default 'the message') returns void
    language plpgsql as $$
    begin
      raise exception using errcode = code, message = message, detail = 'the detail', hint = 'the hint';
    end $$;
  create function public.refuse() returns void language plpgsql as $$
    begin
      raise sqlstate 'PGRST' using message = '{"code":"X1","message":"m","details":"d","hint":"h"}',
        detail = '{"status":418,"headers":{"X-Tea":"pot"}}';
    end $$;
  create table public.closed (id int primary key);
  create table public.unique_names (name text unique);
  insert into public.unique_names values ('taken');
  grant select, insert on public.unique_names to authenticated;
  create function public.missing() returns int language plpgsql
    as $$ begin return (select count(*) from nowhere); end $$;`;

// SQLSTATE → PostgREST's status; where lite comes to another one or loses the code, that is third.
const states: [code: string, status: number, lites?: string][] = [
  ["P0001", 400, "500 SUP"],
  ["ZX001", 400, "500 SUP"],
  ["23514", 400, "500 SUP"],
  ["22023", 400],
  ["23505", 409],
  ["23503", 409],
  ["25006", 405],
  ["28000", 403, "500 SUP"],
  ["0L000", 403, "500 SUP"],
  ["0P000", 403, "500 SUP"],
  ["42501", 403],
  ["42P01", 404, "404 PGRST205"],
  ["08006", 503, "500 SUP"],
  ["53300", 503, "500 53300"],
  ["53400", 500],
  ["57P01", 503, "500 SUP"],
  ["57014", 500, "500 SUP"],
  ["40001", 500, "500 SUP"],
  ["40P01", 500, "500 SUP"],
  ["55P03", 500],
  ["54000", 500, "500 SUP"],
  ["21000", 500, "400 21000"],
  ["P0002", 500, "500 SUP"],
  ["XX000", 500, "500 SUP"],
  ["PT402", 402],
  ["PT429", 429],
];

Deno.test("errors answer as PostgREST has them", async (t) => {
  await using doors = await openDoors(fixture);
  const { mended, plain } = doors;

  for (const [code, status, lites] of states) {
    await t.step(`SQLSTATE ${code} is ${status}, with code, message, detail and hint`, async () => {
      const path = "/rpc/fail";
      const ours = await mended.call(path, { body: { code } });
      const body = { code, message: "the message", details: "the detail", hint: "the hint" };
      assertEquals([ours.status, ours.body], [status, body]);
      const theirs = await plain.call(path, { body: { code } });
      const told = `${theirs.status} ${(theirs.body as { code: string }).code}`;
      assertEquals(told, lites ?? `${status} ${code}`);
    });
  }

  await t.step("a constraint's error keeps its hint", async () => {
    const hint = async (door: typeof mended) => {
      const { body } = await door.call("/rpc/fail", { body: { code: "23505" } });
      return (body as { hint: string | null }).hint;
    };
    assertEquals([await hint(mended), await hint(plain)], ["the hint", null]);
  });

  await t.step(
    "missing privileges: 403 for the signed in, 401 and a challenge for others",
    async () => {
      const known = await mended.call("/closed");
      assertEquals([known.status, (known.body as { code: string }).code], [403, "42501"]);
      const unknown = await mended.call("/closed", { as: null });
      assertEquals([unknown.status, unknown.headers.get("www-authenticate")], [401, "Bearer"]);
      assertEquals(unknown.headers.get("proxy-status"), "PostgREST; error=42501");
    },
  );

  await t.step("a role that does not exist: 401", async () => {
    assertEquals((await mended.call("/closed", { as: { role: "nobody" } })).status, 401);
  });

  await t.step("PGRST lets SQL choose the whole answer", async () => {
    const { status, body, headers } = await mended.call("/rpc/refuse", { body: {} });
    assertEquals(status, 418);
    assertEquals(body, { code: "X1", message: "m", details: "d", hint: "h" });
    assertEquals(headers.get("x-tea"), "pot");
  });

  await t.step("a table missing inside a function: 404 42P01", async () => {
    const { status, body } = await mended.call("/rpc/missing", { body: {} });
    assertEquals([status, (body as { code: string }).code], [404, "42P01"]);
  });

  await t.step("a table that is not there: 404 PGRST205", async () => {
    const { status, body } = await mended.call("/nowhere");
    assertEquals([status, (body as { code: string }).code], [404, "PGRST205"]);
  });

  await t.step("a schema that is not exposed: 406 PGRST106", async () => {
    const headers = { "accept-profile": "auth" };
    const { status, body } = await mended.call("/users", { headers });
    assertEquals([status, (body as { code: string }).code], [406, "PGRST106"]);
  });

  await t.step("a method that PostgREST does not know: 405 PGRST117", async () => {
    const call = { method: "PROPFIND" };
    assertEquals((await plain.call("/unique_names", call)).status, 200);
    const { status, body } = await mended.call("/unique_names", call);
    assertEquals([status, body], [405, {
      code: "PGRST117",
      details: null,
      hint: null,
      message: "Unsupported HTTP method: PROPFIND",
    }]);
  });

  await t.step("a violated constraint: 409 with Postgres' words", async () => {
    const { status, body } = await mended.call("/unique_names", { body: { name: "taken" } });
    assertEquals([status, body], [409, {
      code: "23505",
      details: "Key (name)=(taken) already exists.",
      hint: null,
      message: 'duplicate key value violates unique constraint "unique_names_name_key"',
    }]);
  });
});

Deno.test("an expired or forged token is refused", async (t) => {
  await using doors = await openDoors(fixture);
  const { mended } = doors;
  await t.step("expired: PGRST303", async () => {
    const { status, body } = await mended.call("/closed", { as: { role: "anon", exp: 1 } });
    assertEquals([status, (body as { code: string }).code], [401, "PGRST303"]);
  });
  await t.step("forged: PGRST301", async () => {
    const headers = { authorization: "Bearer a.b.c" };
    const { status, body } = await mended.call("/closed", { as: null, headers });
    assertEquals([status, (body as { code: string }).code], [401, "PGRST301"]);
  });
});
