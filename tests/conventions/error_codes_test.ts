import assert from "node:assert/strict";
import { createApp } from "../../functions/api/app.ts";
import { root } from "../../local/settings.ts";
import { catalogue, isErrorCode } from "shared/errors/catalogue.ts";
import { withDatabase } from "../support/database.ts";
import { createTestServices } from "../support/services.ts";

interface Routine {
  name: string;
  source: string;
}

const raise = /\braise\s+(?!notice|warning|info|debug|log\b)([^;]*)/gi;
const refusal = /^sqlstate\s+'PT(\d{3})'\s+using\s+message\s*=\s*'([a-z_]+(?:\.[a-z_]+)?)'/;

const routines = await withDatabase((sql) =>
  sql<Routine[]>`
    select p.oid::regprocedure::text as name, p.prosrc as source
    from pg_proc p
    where p.pronamespace in ('public'::regnamespace, 'private'::regnamespace)
      and not exists (
        select from pg_depend d
        where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'
      )`
);
/** A refusal with a header, in the form of PostgREST that has a place for one. */
const withHeader =
  /^sqlstate\s+'PGRST'\s+using\s+message\s*=\s*json_build_object\(\s*'code', 'PT(\d{3})', 'message', '([a-z_.]+)'/;
const refusals = routines.flatMap(({ name, source }) => {
  const code = source.replaceAll(/--.*$/gm, "").replaceAll(/\/\*[\s\S]*?\*\//g, "");
  return [...code.matchAll(raise)].map(([, statement]) => ({ name, statement: statement!.trim() }));
});

const codeOf = (statement: string) => refusal.exec(statement) ?? withHeader.exec(statement);

Deno.test("SQL refuses in one form; only private assertions, which never fail, are free", () => {
  assert.ok(refusals.length > 20, `found ${refusals.length}`);
  for (const { name, statement } of refusals) {
    const handsOn = statement === "";
    const assertion = name.startsWith("private.") && /^exception\s+'/.test(statement);
    assert.ok(handsOn || assertion || codeOf(statement), `${name}: raise ${statement}`);
  }
});

Deno.test("every code that SQL raises is in the catalogue with the same status", () => {
  for (const { name, statement } of refusals) {
    const [, status, code] = codeOf(statement) ?? [];
    if (code === undefined) continue;
    assert.ok(isErrorCode(code), `${name} raises ${code}, which the catalogue lacks`);
    assert.equal(catalogue[code].status, Number(status), `${name} raises ${code}`);
  }
});

async function* sourcesUnder(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* sourcesUnder(path);
    else if (path.endsWith(".ts") && name !== "catalogue.ts") yield await Deno.readTextFile(path);
  }
}

Deno.test("every code of the catalogue is raised by SQL, or used by a function", async () => {
  const app = createApp(createTestServices().services);
  const used = [
    ...routines.map(({ source }) => source),
    await (await app.request("/api/openapi.json")).text(),
    ...await Array.fromAsync(sourcesUnder(`${root}/functions`)),
    ...await Array.fromAsync(sourcesUnder(`${root}/shared`)),
  ].join("\n");
  const unused = Object.keys(catalogue).filter((code) =>
    !used.includes(`'${code}'`) && !used.includes(`"${code}"`)
  );
  assert.deepEqual(unused, []);
});

Deno.test("a code names its capability, or stands for the service as a whole", () => {
  for (const code of Object.keys(catalogue)) {
    assert.match(code, /^([a-z_]+\.[a-z_]+|internal|timeout|unavailable)$/);
  }
});
