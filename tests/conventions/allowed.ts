/** Capabilities by slug, in migration order: every table, RPC, permission and error code starts with one. */
export const slugs = [
  "tenants",
  "people",
  "members",
  "audit",
  "jobs",
  "limits",
  "wallet",
  "operations",
];

/** Tables whose plain noun is the field's own name for them; all others start with their slug. */
export const plainTables = ["modules", "roles", "role_permissions", "permissions"];

/** What a visitor without a login may call. */
export const anonFunctions = ["tenants_card"];

/** What the secret key may call; everything else is for people. */
export const serviceFunctions = [
  "limits_attempt",
  "limits_forget",
  "limits_take",
  "members_add",
  "operations_health",
  "operations_metrics",
  "operations_ready",
  "tenants_card",
  "tenants_create",
  "wallet_issue",
];

/** Columns a person may write through the Data API, by table. No other insert or update is granted. */
export const writableColumns: Record<string, { insert: string[]; update: string[] }> = {
  tenants: {
    insert: [],
    update: [
      "app_url",
      "locale",
      "logo_url",
      "modules",
      "name",
      "registration_policy",
      "settings",
      "time_zone",
    ],
  },
};

/** Every security definer function; the reason stands behind the clause in its migration. */
export const definers = {
  public: [
    "limits_attempt",
    "limits_forget",
    "limits_take",
    "audit_prove",
    "audit_search",
    "members_add",
    "members_join",
    "members_leave",
    "members_role_delete",
    "members_role_save",
    "members_set_role",
    "members_set_status",
    "operations_health",
    "operations_metrics",
    "people_me",
    "people_session",
    "people_update_me",
    "tenants_card",
    "tenants_create",
    "wallet_issue",
    "wallet_statement",
    "wallet_transfer",
  ],
  private: [
    "announce",
    "audit",
    "audit_key",
    "audit_login_changed",
    "audit_seal",
    "audit_signed_in",
    "audit_signed_out",
    "audit_tenant_updated",
    "audit_verify",
    "audit_verify_all",
    "audit_write",
    "can",
    "count_attempt",
    "enforce_transition",
    "enqueue",
    "feature",
    "forget_attempts",
    "limits_check_features",
    "may_hear",
    "members_admit",
    "members_check_role",
    "members_follow_person",
    "members_guard_last_owner",
    "members_guard_role",
    "members_guard_target",
    "members_on_tenant_created",
    "people_document",
    "people_membership",
    "people_on_login_created",
    "people_on_login_removed",
    "person",
    "rate_limit",
    "require",
    "require_member",
    "require_person",
    "require_rate",
    "session_fault",
    "tenants_check",
    "tenants_with",
    "wallet_account_of",
    "wallet_announce",
    "wallet_apply",
    "wallet_balance",
    "wallet_claim",
    "wallet_fold",
    "wallet_move",
    "wallet_on_currency_created",
    "wallet_on_member_active",
    "wallet_open_accounts",
    "wallet_own_accounts",
    "wallet_own_transfers",
    "wallet_post",
    "wallet_receipt_of",
    "wallet_replay",
    "wallet_require_currency",
  ],
};

/** Private helpers that policies and invoker functions call with the client's own rights. */
export const privateForClients = [
  "can",
  "is_system",
  "may_hear",
  "person",
  "platform",
  "tenants_with",
  "uuid_v7",
  "wallet_own_accounts",
  "wallet_own_transfers",
];

/** Append-only tables hold ids, numbers and codes; these columns are the codes. */
export const appendOnly: Record<string, string[]> = {
  "public.wallet_transfers": ["currency"],
  "public.wallet_entries": [],
  "public.wallet_keys": ["operation", "key"],
  "private.audit_log": ["action", "resource", "request_id"],
  "private.audit_seals": [],
};
