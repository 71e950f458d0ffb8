import { send } from "./download.ts";
import { refusal } from "./errors.ts";
import { requireKey } from "./names.ts";
import {
  type Call,
  findAsCaller,
  findAsServer,
  occasionOf,
  readJson,
  requireBucket,
  type Storage,
} from "./storage.ts";
import { keep, tryUpload } from "./upload.ts";

const pathOf = ({ bucket, name }: Call) => `${bucket}/${name}`;

function readLifetime(body: Record<string, unknown>): number {
  const { expiresIn } = body;
  if (Number.isInteger(expiresIn) && Number(expiresIn) >= 1) return Number(expiresIn);
  throw refusal.invalid("body/expiresIn must be >= 1");
}

/** POST /object/sign/<bucket>/<name>: whoever may read may let others read for a while. */
export async function signOne(storage: Storage, call: Call): Promise<Response> {
  const body = await readJson(call.request);
  const lifetime = readLifetime(body);
  if (body.transform !== undefined) throw refusal.unsupported("image-transformation");
  await findAsCaller(storage, call, "object.sign");
  const token = await storage.signer.download(pathOf(call), lifetime);
  return Response.json({ signedURL: `/object/sign/${pathOf(call)}?token=${token}` });
}

/** POST /object/sign/<bucket>: the same for many, an error beside each that cannot be read. */
export async function signMany(storage: Storage, call: Call): Promise<Response> {
  const body = await readJson(call.request);
  const lifetime = readLifetime(body);
  const { paths } = body;
  if (!Array.isArray(paths) || paths.length === 0) {
    throw refusal.invalid("body must have required property 'paths'");
  }
  const found = await storage.tables.asCaller(
    occasionOf(call, "object.sign_many"),
    (sql) =>
      sql<{ name: string }>`
        select name from storage.objects
        where bucket_id = ${call.bucket} and name = any (${paths.map(String)}::text[])`,
  );
  const names = new Set(found.map(({ name }) => name));
  return Response.json(
    await Promise.all(
      paths.map(String).map(async (path) => {
        if (!names.has(path)) {
          const error = "Either the object does not exist or you do not have access to it";
          return { error, path, signedURL: null };
        }
        const full = `${call.bucket}/${path}`;
        const token = await storage.signer.download(full, lifetime);
        return { error: null, path, signedURL: `/object/sign/${full}?token=${token}` };
      }),
    ),
  );
}

/** GET /object/sign/<bucket>/<name>?token=…: the token is the right, whatever the policies say now. */
export async function openSigned(storage: Storage, call: Call): Promise<Response> {
  const { exp } = await storage.signer.check(call.query.get("token"), pathOf(call), "download");
  const expires = new Date(exp! * 1000).toUTCString();
  return await send(storage, call, await findAsServer(storage, call), { expires });
}

/** POST /object/upload/sign/<bucket>/<name>: whoever may upload may let others do it for them. */
export async function signUpload(storage: Storage, call: Call): Promise<Response> {
  requireKey(call.name);
  await requireBucket(storage, call.bucket);
  const upsert = call.request.headers.get("x-upsert") === "true";
  await tryUpload(storage, call, { upsert, operation: "object.sign_upload_url" });
  const permit = { owner: call.caller?.owner, upsert };
  const token = await storage.signer.upload(pathOf(call), permit);
  return Response.json({ url: `/object/upload/sign/${pathOf(call)}?token=${token}`, token });
}

/** PUT /object/upload/sign/<bucket>/<name>?token=…: an upload in the name of who signed. */
export async function uploadSigned(storage: Storage, call: Call): Promise<Response> {
  const permit = await storage.signer.check(call.query.get("token"), pathOf(call), "upload");
  requireKey(call.name);
  await keep(storage, call, { upsert: permit.upsert === true, owner: permit.owner });
  return Response.json({ Key: pathOf(call) });
}
