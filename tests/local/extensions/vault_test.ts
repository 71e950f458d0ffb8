import assert from "node:assert/strict";
import { withDatabase } from "../../support/database.ts";

Deno.test("a secret is stored encrypted, read decrypted and changed in place", async () => {
  const name = `jobs-test-${crypto.randomUUID()}`;
  await withDatabase(async (sql) => {
    const [made] = await sql`select vault.create_secret('grüße', ${name}, 'for a test') as id`;
    const read = async () =>
      (await sql`select * from vault.decrypted_secrets where name = ${name}`)[0]!;
    const first = await read();
    assert.deepEqual([first.id, first.decrypted_secret, first.description], [
      made!.id,
      "grüße",
      "for a test",
    ]);
    const [stored] = await sql`select secret from vault.secrets where id = ${made!.id}`;
    assert.ok(!atob(stored!.secret.replaceAll("\n", "")).includes("gr"));
    await sql`select vault.update_secret(${made!.id}, 'other')`;
    assert.equal((await read()).decrypted_secret, "other");
    await assert.rejects(
      async () => await sql`select vault.create_secret('again', ${name})`,
      { code: "23505" },
    );
    await sql`delete from vault.secrets where id = ${made!.id}`;
  });
});

Deno.test("people and visitors do not reach the vault, and nobody writes it past its functions", async () => {
  await withDatabase(async (sql) => {
    for (const role of ["anon", "authenticated"]) {
      const [row] = await sql`select has_schema_privilege(${role}, 'vault', 'usage') as may`;
      assert.equal(row!.may, false, role);
    }
    await assert.rejects(
      async () => await sql`insert into vault.secrets (secret) values ('plain')`,
      { code: "42501" },
    );
  });
});

Deno.test("the stack keeps what the database needs to call functions", async () => {
  await withDatabase(async (sql) => {
    const rows = await sql`
      select name, decrypted_secret as value from vault.decrypted_secrets
      where name in ('functions_url', 'worker_secret') order by name`;
    assert.deepEqual(rows.map(({ name }) => name), ["functions_url", "worker_secret"]);
    assert.match(rows[0]!.value, /\/functions\/v1$/);
    assert.ok(rows[1]!.value.length >= 32);
  });
});
