import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { until } from "../../support/wait.ts";
import {
  type Door,
  doorOf,
  makeDatabase,
  mendedApi,
  openDoors,
  plainApi,
  terminated,
} from "./support.ts";

const fixture = `
  create table public.first (id int primary key);
  grant select on public.first to authenticated;`;

const newTable = (name: string) =>
  `create table public.${name} (id int primary key);
   grant select on public.${name} to authenticated;`;

const statusOf = async (door: Door, path: string) => (await door.call(path)).status;

Deno.test("the schema is read again when the database says so", async (t) => {
  await using doors = await openDoors(fixture);
  const { mended, plain } = doors;
  assertEquals([await statusOf(mended, "/first"), await statusOf(plain, "/first")], [200, 200]);

  await t.step("on notify pgrst", async () => {
    await doors.run(newTable("second"));
    assertEquals(await statusOf(mended, "/second"), 404);
    await doors.run("notify pgrst, 'reload schema'");
    await until(async () => await statusOf(mended, "/second") === 200, { timeout: 1_000 });
  });

  await t.step("after the listening connection was lost", async () => {
    await doors.run(newTable("third"));
    assertEquals(await statusOf(mended, "/third"), 404);
    await doors.run(terminated(
      "datname = current_database() and application_name = 'nexus data api listener'",
    ));
    await until(async () => await statusOf(mended, "/third") === 200, { timeout: 2_000 });
  });

  await t.step("lite never does", async () => {
    await doors.runPlain(newTable("second") + "notify pgrst, 'reload schema'");
    assertEquals(await statusOf(plain, "/second"), 404);
  });

  await t.step("a dropped column is not offered any more", async () => {
    await doors.run("alter table public.first add note text; notify pgrst");
    await until(async () => await statusOf(mended, "/first?select=note") === 200);
    await doors.run("alter table public.first drop column note; notify pgrst");
    await until(async () => await statusOf(mended, "/first?select=note") === 400);
  });
});

Deno.test("a schema that cannot be read is not an empty one", async () => {
  await using database = await makeDatabase(fixture);
  const [mended, plain] = await Promise.all([mendedApi(database), plainApi(database)]);
  await database.open(false);

  const { status, body, headers } = await doorOf(mended).call("/first");
  assertEquals([status, (body as { code: string }).code], [503, "PGRST002"]);
  assertEquals(headers.get("retry-after"), "1");
  assertEquals((await doorOf(plain).call("/first", { as: null })).status, 404);

  await database.open(true);
  await until(async () => await statusOf(doorOf(mended), "/first") === 200, { timeout: 2_000 });
  await Promise.all([mended.close(), plain.close()]);
});
