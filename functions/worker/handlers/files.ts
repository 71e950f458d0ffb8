import { ProblemError } from "shared/errors/problem.ts";
import { decode, fitInto, isDecodable, toWebp } from "shared/files/codecs.ts";
import { readImageHeader } from "shared/files/image_header.ts";
import { folderOf } from "shared/files/names.ts";
import { createStore } from "shared/files/store.ts";
import { type FileRow, keepVariant, removeObjects } from "shared/files/upload.ts";
import type { Services } from "shared/services.ts";
import type { Handler, Job } from "../handlers.ts";

const thumbnailSide = 320;

/** The doors of a job, and its file: undefined when that is gone. */
async function open(job: Job, { config, database }: Services) {
  const asService = database.asService();
  const row = { tenant_id: job.tenant_id, file: job.payload.file };
  const [file] = await asService.rpc<FileRow[]>("files_read", row);
  return { asService, store: createStore(config), row, file };
}

/** Neither comes right by trying again: a picture that cannot be decoded, a file that is gone. */
const isNothingToDo = (error: unknown): boolean =>
  error instanceof ProblemError && ["files.damaged", "files.not_found"].includes(error.code);

/** Makes the small picture for lists; none of what is too large to decode. */
const thumbnail: Handler = async (job, services) => {
  const { asService, store, file } = await open(job, services);
  if (!file || !["held", "released"].includes(file.status)) return;
  const bytes = await store.get(file.bucket, file.path);
  if (!bytes) return;
  try {
    const header = readImageHeader(bytes);
    if (!header || !isDecodable(header)) return;
    const small = fitInto(await decode(bytes, header), thumbnailSide);
    await keepVariant({ asService, store }, file, "thumbnail", await toWebp(small), small);
  } catch (error) {
    if (!isNothingToDo(error)) throw error;
  }
};

/** Moves a picture that was held to where everybody sees it. */
const publish: Handler = async (job, services) => {
  const { asService, store, row, file } = await open(job, services);
  if (!file || file.status !== "released" || file.bucket !== "images") return;
  for (const path of await store.list("images", folderOf(file.path))) {
    await store.move("images", path, "avatars");
  }
  await asService.rpc("files_published", row);
};

/** Removes every object of a deleted file, and then its row. */
const remove: Handler = async (job, services) => {
  const { asService, store, row, file } = await open(job, services);
  if (file?.status !== "deleted") return;
  await removeObjects(store, file);
  await asService.rpc("files_removed", row);
};

export const filesHandlers: Record<string, Handler> = {
  "files.thumbnail": thumbnail,
  "files.publish": publish,
  "files.remove": remove,
};
