import { errors as jose } from "jose";
import { postgresError } from "../auth/database.ts";
import type { Log } from "../part.ts";

/** A refusal as storage-api words it: `code` is its stable name, `error` an older one of the same. */
export class StorageError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly error: string = code,
    options: ErrorOptions = {},
  ) {
    super(message, options);
  }
}

export const refusal = {
  noBucket: () => new StorageError(404, "NoSuchBucket", "Bucket not found", "Bucket not found"),
  noObject: () => new StorageError(404, "NoSuchKey", "Object not found", "not_found"),
  exists: () =>
    new StorageError(409, "ResourceAlreadyExists", "The resource already exists", "Duplicate"),
  denied: (message: string) => new StorageError(403, "AccessDenied", message, "Unauthorized"),
  badToken: (message: string) => new StorageError(403, "AccessDenied", message, "Unauthorized"),
  badSignature: (message = "Invalid signature") =>
    new StorageError(400, "InvalidSignature", message),
  badJwt: (message: string) => new StorageError(400, "InvalidJWT", message),
  badKey: (key: string) => new StorageError(400, "InvalidKey", `Invalid key: ${key}`),
  badBucketName: () =>
    new StorageError(400, "InvalidBucketName", "Bucket name invalid", "Invalid Input"),
  badSizeLimit: () =>
    new StorageError(
      400,
      "InvalidRequest",
      "Invalid file size format, hint: use 20GB / 20MB / 30KB / 3B",
    ),
  badType: (type: string) =>
    new StorageError(
      415,
      "InvalidMimeType",
      `mime type ${type} is not supported`,
      "invalid_mime_type",
    ),
  tooLarge: () =>
    new StorageError(
      413,
      "EntityTooLarge",
      "The object exceeded the maximum allowed size",
      "Payload too large",
    ),
  noContent: () => new StorageError(400, "InvalidRequest", "No content provided"),
  notEmpty: () =>
    new StorageError(409, "ResourceNotEmpty", "The bucket you tried to delete is not empty"),
  unsupported: (feature: string) =>
    new StorageError(
      409,
      "FeatureNotEnabled",
      `The feature ${feature} is not enabled for this resource`,
    ),
  invalid: (message: string) => new StorageError(400, "InvalidRequest", message),
};

/**
 * The answer to a request that failed. storage-api says 400 over HTTP whatever the refusal is, and
 * its status in the body; only what is its own fault is a 5xx.
 */
export function errorResponse(error: unknown, log: Log): Response {
  const { status, code, message, error: older } = refusalOf(error);
  if (status >= 500) log(`storage: ${error instanceof Error ? error.stack : error}`);
  return Response.json(
    { statusCode: String(status), code, error: older, message },
    { status: status >= 500 ? status : 400 },
  );
}

function refusalOf(error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  const raised = postgresError(error);
  switch (raised?.code) {
    case undefined:
      return new StorageError(500, "InternalError", "Internal Server Error", "Internal");
    case "42501":
      return refusal.denied(raised!.message.replace(/ for table "\w+"$/, ""));
    case "23505":
      return refusal.exists();
    case "23503":
      return new StorageError(404, "InvalidRequest", "The related resource does not exist");
    case "57014":
    case "55P03":
      return new StorageError(
        544,
        "DatabaseTimeout",
        "The connection to the database timed out",
      );
    default:
      return new StorageError(500, "DatabaseError", raised!.message);
  }
}

/** What jose found wrong with a token, in the words that storage-api passes on. */
export const tokenFault = (error: unknown): string =>
  error instanceof jose.JOSEError ? error.message : "Invalid JWT";
