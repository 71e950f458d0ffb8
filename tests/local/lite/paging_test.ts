import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { type Call, openDoors } from "./support.ts";

const fixture = `
  create table public.numbers (n int primary key);
  insert into public.numbers select generate_series(1, 1001);
  grant select on public.numbers to authenticated;
  create function public.all_numbers() returns setof public.numbers language sql stable
    as $$ select * from public.numbers $$;`;

Deno.test("pages are cut and counted as PostgREST does", async (t) => {
  await using doors = await openDoors(fixture);
  const { mended } = doors;
  const counted = { prefer: "count=exact" };
  const page = async (path: string, call?: Call) => {
    const { status, headers, body } = await mended.call(path, call);
    const length = Array.isArray(body) ? body.length : 0;
    return [status, headers.get("content-range"), length];
  };

  await t.step("no more rows than the project allows", async () => {
    assertEquals(await page("/numbers"), [200, "0-999/*", 1000]);
    assertEquals(await page("/rpc/all_numbers", { body: {} }), [200, "0-999/*", 1000]);
    assertEquals(await page("/numbers?limit=2000"), [200, "0-999/*", 1000]);
  });

  await t.step("a part of a counted whole is 206", async () => {
    assertEquals(await page("/numbers", { headers: counted }), [206, "0-999/1001", 1000]);
    assertEquals(await page("/numbers?limit=2&offset=3", { headers: counted }), [
      206,
      "3-4/1001",
      2,
    ]);
    assertEquals(await page("/numbers?n=lt.3", { headers: counted }), [200, "0-1/2", 2]);
  });

  await t.step("a range header cuts too", async () => {
    const headers = { ...counted, range: "10-19", "range-unit": "items" };
    assertEquals(await page("/numbers", { headers }), [206, "10-19/1001", 10]);
  });

  await t.step("a HEAD counts without a body", async () => {
    const call = { method: "HEAD", headers: counted };
    assertEquals(await page("/numbers?n=lt.3", call), [200, "0-1/2", 0]);
    assertEquals(await page("/numbers", call), [206, "0-999/1001", 0]);
  });

  await t.step("beyond the end: 416 PGRST103", async () => {
    const { status, body } = await mended.call("/numbers?offset=2000", { headers: counted });
    assertEquals([status, (body as { code: string }).code], [416, "PGRST103"]);
  });
});
