/**
 * What each kind of person reads of a tenant's rows, by table: all of them, their own, those of
 * active members, or none. Everybody else reads nothing, and nobody writes but where `update` says
 * who. A table that is missing here fails the matrix.
 */
export type Sight = "all" | "own" | "none";

export interface TableRights {
  /** Which columns a row's person stands in, for "own"; several with commas. */
  owner?: string;
  select: { owner: Sight; member: Sight };
  update?: { by: "owner"; change: Record<string, unknown> };
}

export const rights: Record<string, TableRights> = {
  tenants: {
    select: { owner: "all", member: "all" },
    update: { by: "owner", change: { name: "Changed" } },
  },
  members: { select: { owner: "all", member: "all" } },
  members_domains: { select: { owner: "all", member: "none" } },
  members_history: { owner: "person_id", select: { owner: "all", member: "own" } },
  members_ownership_offers: {
    owner: "person_id,offered_by",
    select: { owner: "own", member: "own" },
  },
  members_fields: { select: { owner: "all", member: "all" } },
  members_values: { owner: "person_id", select: { owner: "own", member: "own" } },
  admin_decisions: { select: { owner: "all", member: "none" } },
  admin_appeals: { select: { owner: "all", member: "none" } },
  roles: { select: { owner: "all", member: "all" } },
  role_permissions: { select: { owner: "all", member: "all" } },
  invitations: { select: { owner: "all", member: "none" } },
  invitations_uses: { select: { owner: "all", member: "none" } },
  locations: { select: { owner: "all", member: "all" } },
  locations_members: { owner: "person_id", select: { owner: "all", member: "own" } },
  api_keys: { owner: "person_id", select: { owner: "all", member: "own" } },
  files: { select: { owner: "all", member: "all" } },
  files_variants: { select: { owner: "all", member: "all" } },
  notifications: { owner: "person_id", select: { owner: "own", member: "own" } },
  notifications_counters: { owner: "person_id", select: { owner: "own", member: "own" } },
  documents_types: { select: { owner: "all", member: "all" } },
  documents: { owner: "person_id", select: { owner: "all", member: "own" } },
  documents_checks: { select: { owner: "all", member: "none" } },
  moderation_cases: { owner: "author_id", select: { owner: "all", member: "own" } },
  moderation_reports: { owner: "reporter_id", select: { owner: "all", member: "own" } },
  groups: { select: { owner: "all", member: "all" } },
  groups_members: { select: { owner: "all", member: "all" } },
  groups_posts: { select: { owner: "all", member: "all" } },
  groups_files: { select: { owner: "all", member: "all" } },
  messaging_conversations: { select: { owner: "all", member: "all" } },
  messaging_members: { select: { owner: "all", member: "all" } },
  messaging_states: { owner: "person_id", select: { owner: "own", member: "own" } },
  messaging_preferences: { owner: "person_id", select: { owner: "own", member: "own" } },
  messaging_blocks: { owner: "person_id", select: { owner: "own", member: "own" } },
  messaging_messages: { owner: "id", select: { owner: "own", member: "own" } },
  messaging_attachments: { select: { owner: "all", member: "all" } },
  messaging_edits: { select: { owner: "all", member: "all" } },
  messaging_hidden: { owner: "person_id", select: { owner: "own", member: "own" } },
  messaging_receipts: { select: { owner: "all", member: "all" } },
  messaging_inbox: { owner: "person_id", select: { owner: "own", member: "own" } },
  messaging_schedules: { owner: "person_id", select: { owner: "own", member: "own" } },
  goals: { select: { owner: "all", member: "all" } },
  goals_buddies: { owner: "person_id,owner_id", select: { owner: "own", member: "own" } },
  goals_check_ins: { select: { owner: "all", member: "all" } },
  listings: { select: { owner: "all", member: "all" } },
  listings_images: { select: { owner: "all", member: "all" } },
  listings_favourites: { owner: "person_id", select: { owner: "own", member: "own" } },
  listings_searches: { owner: "person_id", select: { owner: "own", member: "own" } },
  listings_counts: { owner: "owner_id", select: { owner: "all", member: "own" } },
  listings_trending: { select: { owner: "all", member: "all" } },
  exchanges: { owner: "requester_id,provider_id", select: { owner: "all", member: "own" } },
  exchanges_parts: { select: { owner: "all", member: "all" } },
  exchanges_notes: { select: { owner: "all", member: "all" } },
  exchanges_reviews: { select: { owner: "all", member: "all" } },
  exchanges_ratings: { select: { owner: "all", member: "all" } },
  feed_posts: { select: { owner: "all", member: "all" } },
  feed_comments: { select: { owner: "all", member: "all" } },
  feed_attachments: { select: { owner: "all", member: "all" } },
  feed_edits: { select: { owner: "all", member: "all" } },
  feed_reactions: { select: { owner: "all", member: "all" } },
  feed_tallies: { select: { owner: "all", member: "all" } },
  feed_polls: { select: { owner: "all", member: "all" } },
  feed_votes: { owner: "person_id", select: { owner: "own", member: "own" } },
  gamification_actions: { select: { owner: "all", member: "all" } },
  gamification_badges: { select: { owner: "all", member: "all" } },
  gamification_challenges: { select: { owner: "all", member: "all" } },
  gamification_seasons: { select: { owner: "all", member: "all" } },
  gamification_members: { owner: "person_id", select: { owner: "own", member: "own" } },
  gamification_awards: { owner: "person_id", select: { owner: "own", member: "own" } },
  gamification_scores: { owner: "person_id", select: { owner: "own", member: "own" } },
  gamification_holders: { owner: "person_id", select: { owner: "own", member: "own" } },
  gamification_progress: { owner: "person_id", select: { owner: "own", member: "own" } },
  gamification_days: { owner: "person_id", select: { owner: "own", member: "own" } },
  gamification_snapshots: { owner: "person_id", select: { owner: "own", member: "own" } },
  volunteering_opportunities: { select: { owner: "all", member: "all" } },
  volunteering_signups: { owner: "person_id", select: { owner: "all", member: "own" } },
  volunteering_hours: { owner: "person_id", select: { owner: "all", member: "own" } },
  volunteering_totals: { owner: "person_id", select: { owner: "all", member: "own" } },
  wallet_currencies: { select: { owner: "all", member: "all" } },
  wallet_organisations: { select: { owner: "all", member: "all" } },
  wallet_agents: { owner: "person_id", select: { owner: "all", member: "own" } },
  wallet_ledger_accounts: { owner: "id", select: { owner: "all", member: "own" } },
  wallet_accounts: { owner: "id", select: { owner: "own", member: "own" } },
  wallet_transfers: { owner: "id", select: { owner: "all", member: "own" } },
  wallet_entries: { owner: "account_id", select: { owner: "all", member: "own" } },
  wallet_memos: { owner: "transfer_id", select: { owner: "all", member: "own" } },
  wallet_reversals: { owner: "transfer_id", select: { owner: "all", member: "own" } },
  wallet_holds: { owner: "from_account,to_account", select: { owner: "all", member: "own" } },
  wallet_requests: { owner: "payer,payee", select: { owner: "own", member: "own" } },
  wallet_trusted: { owner: "person_id", select: { owner: "none", member: "own" } },
  wallet_keys: { owner: "person_id", select: { owner: "own", member: "own" } },
};

/** Lists that are the same for every tenant: read by whoever is signed in, written by migrations. */
export const shared = ["modules", "permissions", "gamification_levels"];

/** Rows of a person, not of a tenant: read by themselves. */
export const personal = ["people"];

/** RPCs without a tenant: what a signed-in stranger is answered when they call them with nothing useful. */
export const withoutTenant: Record<string, string | null> = {
  invitations_accept: "invitations.not_found",
  admin_appeal: "admin.decision_not_found",
  admin_appeal_withdraw: "admin.appeal_not_found",
  admin_ban_person: "tenants.not_found",
  admin_find_person: "tenants.not_found",
  admin_my_decisions: null,
  admin_readmit_person: "tenants.not_found",
  accounts_caller: "accounts.reauthentication_required",
  accounts_cancel_deletion: null,
  accounts_logout: "request.invalid",
  accounts_providers: null,
  accounts_remove_avatar: null,
  accounts_request_deletion: "accounts.reauthentication_required",
  documents_begin: "tenants.not_found",
  jobs_dead_letters: "tenants.not_found",
  jobs_pause: "tenants.not_found",
  jobs_replay: "tenants.not_found",
  jobs_resume: "tenants.not_found",
  jobs_run: "tenants.not_found",
  jobs_schedules: "tenants.not_found",
  jobs_statistics: "tenants.not_found",
  members_join: "tenants.not_found",
  passkeys_begin_registration: "tenants.not_found",
  passkeys_begin_step_up: "tenants.not_found",
  passkeys_delete: "passkeys.not_found",
  passkeys_list: null,
  passkeys_rename: "passkeys.not_found",
  passkeys_take_registration: "passkeys.refused",
  passkeys_take_step_up: "passkeys.refused",
  apple_unlink: "accounts.reauthentication_required",
  people_me: null,
  people_session: "tenants.not_found",
  people_update_me: "request.invalid",
  sessions_current: null,
  sessions_end: "sessions.not_found",
  sessions_list: null,
  tenants_card: "tenants.not_found",
  tenants_create: "tenants.not_found",
  two_factor_disable: "two_factor.not_enabled",
  two_factor_status: null,
  notifications_set_hours: "request.invalid",
  push_add_device: "request.invalid",
  push_remove: null,
  push_subscribe: "request.invalid",
  operations_health: "tenants.not_found",
};

/** RPCs that a suspended member may still call, and what they are answered without anything to call them for. */
export const forSuspended: Record<string, string> = {
  moderation_appeal: "moderation.case_not_found",
};

/** RPCs with a tenant that are not for its members: an operator's or the secret key's. */
export const forOperators = ["files_set_quota", "jobs_cancel", "members_add"];
