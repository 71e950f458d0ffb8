import type { Handler } from "../handlers.ts";

/** What each kind of job names in its payload. */
const subjects: Record<string, string> = {
  "wallet.transferred": "transfer_id",
  "wallet.held": "hold_id",
  "wallet.hold_voided": "hold_id",
  "wallet.hold_expired": "hold_id",
  "wallet.requested": "request_id",
  "wallet.request_reminder": "request_id",
  "wallet.request_declined": "request_id",
  "wallet.request_cancelled": "request_id",
  "wallet.request_expired": "request_id",
  "wallet.balance_low": "account_id",
  "wallet.balance_critical": "account_id",
  "wallet.balance_high": "account_id",
  "wallet.nudge": "account_id",
  "wallet.account_frozen": "account_id",
  "wallet.account_unfrozen": "account_id",
  "wallet.account_closed": "account_id",
  "wallet.broken": "tenant_id",
};

/**
 * Tells whom it concerns. Who that is, what they may know and what has become of it meanwhile is
 * the database's to say; it tells nobody twice for the same job.
 */
const tell: Handler = async ({ id, tenant_id, kind, payload }, { database }) => {
  const subject = payload[subjects[kind]!];
  await database.asService().rpc("wallet_notify", { tenant_id, kind, subject, job: id });
};

export const walletHandlers: Record<string, Handler> = Object.fromEntries(
  Object.keys(subjects).map((kind) => [kind, tell]),
);
