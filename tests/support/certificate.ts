import assert from "node:assert/strict";
import { join } from "node:path";

const keys = {
  ec: ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
  rsa: ["-newkey", "rsa:2048"],
};

/** A certificate for a host that vouches for itself, left in the folder as well. */
export async function certificate(
  folder: string,
  host: string,
  kind: keyof typeof keys = "ec",
): Promise<{ cert: string; key: string }> {
  const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  const { success, stderr } = await new Deno.Command("openssl", {
    args: [
      ...["req", "-x509", "-nodes", ...keys[kind], "-days", "2", "-subj", `/CN=${host}`],
      ...["-addext", `subjectAltName=DNS:${host}`],
      ...["-addext", "basicConstraints=critical,CA:FALSE", "-keyout", key, "-out", cert],
    ],
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return { cert: await Deno.readTextFile(cert), key: await Deno.readTextFile(key) };
}
