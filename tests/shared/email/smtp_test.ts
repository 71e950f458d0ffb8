import assert from "node:assert/strict";
import { fromFileUrl, join } from "../../../local/paths.ts";
import { checkProviders, send } from "shared/email/send.ts";
import { UnknownOutcome, UnsendableMail } from "shared/email/unsendable.ts";
import { ProblemError } from "shared/errors/problem.ts";
import { certificate } from "../../support/certificate.ts";
import { createTestServices } from "../../support/services.ts";
import { SmtpServer } from "../../support/smtp_server.ts";
import { mail } from "./support.ts";

const login = { user: "ana@smtp", password: "p@ss:word" };

const servicesFor = (server: SmtpServer, { user, password } = login) =>
  createTestServices({
    SMTP_URL: `smtp://${encodeURIComponent(user)}:${
      encodeURIComponent(password)
    }@127.0.0.1:${server.port}`,
    EMAIL_FROM: "Nexus <mail@nexus.test>",
  });

Deno.test("SMTP: a mail arrives in both forms, with its headers and the same Message-ID at each try", async () => {
  await using server = new SmtpServer({ login });
  const { services } = servicesFor(server);
  const sent = [await send(services, mail), await send(services, mail)];
  assert.deepEqual(new Set(sent.map(({ provider }) => provider)), new Set(["smtp"]));
  assert.equal(sent[0]!.id, sent[1]!.id);
  const [{ from, to, user, source }] = server.mails as [typeof server.mails[number]];
  assert.deepEqual([from, to, user], ["mail@nexus.test", ["ana@nexus.test"], login.user]);
  assert.match(source, /^From: =\?UTF-8\?.+\?= <mail@nexus\.test>$/m);
  assert.match(source, /^Message-ID: <0190c0de-0000-7000-8000-000000000001@nexus\.test>$/m);
  assert.match(source, /^List-Unsubscribe: <https:\/\/nexus\.test\/setting\?token=a>$/m);
  assert.match(source, /^Content-Type: multipart\/alternative;/m);
  assert.match(source, /^Gr=C3=BC=C3=9Fe$/m);
  assert.match(source, /^<p>Gr=C3=BC=C3=9Fe<\/p>$/m);
});

Deno.test("SMTP: what the server says decides what comes of the mail", async () => {
  const unavailable = (error: unknown) =>
    error instanceof ProblemError && error.code === "unavailable";
  const cases: [Record<string, string>, (error: unknown) => boolean][] = [
    [{ "RCPT TO": "550 5.1.1 no such mailbox" }, (error) => error instanceof UnsendableMail],
    [{ END: "554 5.7.1 looks like spam" }, (error) => error instanceof UnsendableMail],
    [{ "RCPT TO": "451 4.7.1 come back later" }, unavailable],
    [{ AUTH: "535 5.7.8 bad credentials" }, unavailable],
    [{ "MAIL FROM": "421 4.3.2 closing" }, unavailable],
    [{ END: "HANG UP" }, (error) => error instanceof UnknownOutcome],
  ];
  for (const [answers, expected] of cases) {
    await using server = new SmtpServer({ login, answers });
    const { services } = servicesFor(server);
    await assert.rejects(send(services, mail), (error) => {
      assert.ok(expected(error), `${JSON.stringify(answers)}: ${error}`);
      return true;
    });
    assert.equal(server.mails.length, 0);
  }
});

Deno.test("SMTP: credentials are checked without a mail, and a wrong one is in the log without itself", async () => {
  await using server = new SmtpServer({ login });
  assert.deepEqual(await checkProviders(servicesFor(server).services), { smtp: true });
  const wrong = servicesFor(server, { user: "ana", password: "wr0ng-one" });
  assert.deepEqual(await checkProviders(wrong.services), { smtp: false });
  const [line] = wrong.lines;
  assert.equal(line!.level, "error");
  assert.ok(!JSON.stringify(line).includes("wr0ng-one"));
  assert.equal(server.mails.length, 0);
});

Deno.test("SMTP: encrypted from the first byte, the certificate checked, in a runtime of its own", async () => {
  const folder = await Deno.makeTempDir({ prefix: "nexus-smtp-" });
  try {
    const tls = await certificate(folder, "localhost");
    await using server = new SmtpServer({ login, tls });
    const run = (...options: string[]) =>
      new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--quiet", "--no-check", ...options, join(here, "smtp_child.ts")],
        env: {
          SMTP_URL: `smtps://ana%40smtp:p%40ss%3Aword@localhost:${server.port}`,
          EMAIL_FROM: "Nexus <mail@nexus.test>",
        },
      }).output();
    const refused = await run();
    assert.equal(refused.success, false, "nobody vouches for the certificate");
    assert.equal(server.mails.length, 0);
    const { success, stderr } = await run("--cert", join(folder, "cert.pem"));
    assert.ok(success, new TextDecoder().decode(stderr));
    assert.equal(server.mails.length, 1);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

const here = fromFileUrl(new URL(".", import.meta.url));
