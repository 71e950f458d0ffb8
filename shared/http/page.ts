import { declare } from "./declared.ts";

/** What a page of ours may do: be styled, and send its form back to where it came from. */
export const pagePolicy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; " +
  "base-uri 'none'; frame-ancestors 'none'";

/** For the few routes that answer browsers with a page; all others may do nothing at all. */
export const asPage = declare({ page: true });
