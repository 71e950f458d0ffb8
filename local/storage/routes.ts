import { type Context, Hono } from "hono";
import type { Keys } from "../keys.ts";
import {
  createBucket,
  deleteBucket,
  emptyBucket,
  getBucket,
  listBuckets,
  updateBucket,
} from "./buckets.ts";
import { callerOf } from "./caller.ts";
import { info, openAuthenticated, openPublic } from "./download.ts";
import { errorResponse, refusal } from "./errors.ts";
import { list, listV2 } from "./listing.ts";
import { copy, move, removeMany, removeOne } from "./objects.ts";
import { openSigned, signMany, signOne, signUpload, uploadSigned } from "./signed.ts";
import { type Call, occasionOf, type Storage } from "./storage.ts";
import { upload } from "./upload.ts";

type Operation = (storage: Storage, call: Call) => Promise<Response> | Response;

const one = "/:bucket/:name{.+}";

/** storage-api's endpoints under `/storage/v1`, as far as storage-js uses them. */
export function createRoutes(storage: Storage, keys: Keys): Hono {
  const on = (operation: Operation, { anonymous = false } = {}) => async ({ req }: Context) => {
    const { bucket = "", name = "" } = req.param();
    const call: Call = {
      request: req.raw,
      query: new URL(req.url).searchParams,
      bucket,
      name,
      caller: anonymous ? undefined : await callerOf(keys, req.raw.headers),
    };
    return await operation(storage, call);
  };
  const anybody = { anonymous: true };

  const app = new Hono().basePath("/storage/v1");
  app.onError((error) => errorResponse(error, storage.log));
  app.notFound(({ req }) =>
    Response.json({
      statusCode: "404",
      error: "Not Found",
      message: `Route ${req.method}:${req.path} not found`,
    }, { status: 404 })
  );

  app.get("/bucket", on(listBuckets));
  app.post("/bucket", on(createBucket));
  app.get("/bucket/:bucket", on(getBucket));
  app.put("/bucket/:bucket", on(updateBucket));
  app.delete("/bucket/:bucket", on(deleteBucket));
  app.post("/bucket/:bucket/empty", on(emptyBucket));

  // Hono serves HEAD by what is registered for GET.
  app.get(`/object/public${one}`, on(openPublic, anybody));
  app.get(`/object/sign${one}`, on(openSigned, anybody));
  app.get(`/object/info/public${one}`, on((s, call) => info(s, call, true), anybody));
  app.get(`/object/info/authenticated${one}`, on(info));
  app.get(`/object/info${one}`, on(info));
  app.get(`/object/authenticated${one}`, on(openAuthenticated));
  app.get(`/object${one}`, on(openAuthenticated));

  app.post("/object/move", on(move));
  app.post("/object/copy", on(copy));
  app.post("/object/list/:bucket", on(list));
  app.post("/object/list-v2/:bucket", on(listV2));
  app.post(`/object/upload/sign${one}`, on(signUpload));
  app.put(`/object/upload/sign${one}`, on(uploadSigned, anybody));
  app.post("/object/sign/:bucket", on(signMany));
  app.post(`/object/sign${one}`, on(signOne));
  app.post(`/object${one}`, on(upload));
  app.put(`/object${one}`, on(upload));
  app.delete(`/object${one}`, on(removeOne));
  app.delete("/object/:bucket", on(removeMany));

  app.delete("/cdn/:path{.+}", on(purge));
  app.all(
    "/render/*",
    on(() => {
      throw refusal.unsupported("image-transformation");
    }, anybody),
  );
  return app;
}

/** There is no cache in between, so there is nothing to do; who may ask is as on hosted. */
function purge(_storage: Storage, call: Call): Response {
  if (occasionOf(call, "cdn.purge").caller.role !== "service_role") {
    throw refusal.denied("Access denied");
  }
  return Response.json({ message: "success" });
}
