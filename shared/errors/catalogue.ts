/**
 * Every error that a client can receive. A code is stable API: add, never rename. SQL raises the
 * same codes with the same status, and a test keeps both together.
 */
export const catalogue = {
  "internal": { status: 500, title: "Something went wrong on our side" },
  "timeout": { status: 504, title: "The answer took too long, whether it was done is unknown" },
  "unavailable": { status: 503, title: "Not available at the moment, try again shortly" },

  "request.address_refused": { status: 422, title: "This address is not called from here" },
  "request.append_only": { status: 409, title: "This can be added to, never changed" },
  "request.cross_site": { status: 403, title: "Cookies are taken from our own pages only" },
  "request.https_required": { status: 403, title: "Use https" },
  "request.invalid": { status: 422, title: "The request does not match its schema" },
  "request.method_not_allowed": { status: 405, title: "This route does not know this method" },
  "request.not_found": { status: 404, title: "No such route" },
  "request.precondition_failed": { status: 412, title: "It was changed in the meantime" },
  "request.too_large": { status: 413, title: "The request body is too large" },
  "request.transition_refused": { status: 409, title: "Not possible in the present state" },
  "request.unsupported_media_type": { status: 415, title: "The body is of another media type" },

  "auth.banned": { status: 403, title: "This person may not sign in" },
  "auth.email_unconfirmed": { status: 403, title: "Confirm the address first" },
  "auth.impersonated": { status: 403, title: "Nobody does this for somebody else" },
  "auth.read_only": { status: 403, title: "This session only reads" },
  "auth.required": { status: 401, title: "Sign in to continue" },
  "auth.session_bounded": { status: 403, title: "This session was not opened for that" },
  "auth.session_ended": { status: 401, title: "This session has ended" },

  "sessions.not_found": { status: 404, title: "No such session" },

  "accounts.credentials_refused": { status: 401, title: "Address or password is wrong" },
  "accounts.last_provider": { status: 409, title: "One way to sign in has to stay" },
  "accounts.password_unchanged": { status: 422, title: "The new password is the present one" },
  "accounts.password_weak": { status: 422, title: "Choose another password" },
  "accounts.provider_not_found": { status: 404, title: "No such provider on this account" },
  "accounts.reauthentication_required": {
    status: 403,
    title: "Prove once more whose session this is",
  },
  "accounts.refresh_refused": { status: 401, title: "This session has ended, sign in again" },
  "accounts.token_refused": { status: 422, title: "The link or code is wrong, used or too old" },

  "two_factor.already_enabled": { status: 409, title: "An authenticator app is set up already" },
  "two_factor.code_refused": { status: 422, title: "The code is wrong, or was used before" },
  "two_factor.not_configured": { status: 503, title: "This project keeps no second factors yet" },
  "two_factor.not_enabled": { status: 409, title: "No authenticator app is set up" },
  "two_factor.recent_required": { status: 403, title: "Give the second factor again first" },
  "two_factor.required": { status: 403, title: "A second factor is needed" },

  "people.erased": { status: 409, title: "This id belonged to an erased person" },
  "people.not_found": { status: 404, title: "No such person" },

  "tenants.ambiguous": { status: 400, title: "Name the tenant in the Nexus-Tenant header" },
  "tenants.module_off": { status: 404, title: "This module is switched off" },
  "tenants.module_unknown": { status: 422, title: "There is no such module" },
  "tenants.not_found": { status: 404, title: "No such tenant" },
  "tenants.too_many_branches": { status: 409, title: "There are too many tenants below this one" },
  "tenants.slug_taken": { status: 409, title: "Another tenant has this slug" },

  "members.already_member": { status: 409, title: "There is a membership already" },
  "members.already_owner": { status: 409, title: "They own the tenant already" },
  "members.field_not_found": { status: 404, title: "The directory has no such field" },
  "members.banned": { status: 403, title: "This membership is banned" },
  "members.last_owner": { status: 409, title: "A tenant keeps at least one owner" },
  "members.not_active": { status: 403, title: "The membership is not active" },
  "members.not_found": { status: 404, title: "No such member" },
  "members.not_yourself": { status: 403, title: "Nobody does this to their own membership" },
  "members.offer_not_found": { status: 404, title: "There is no such offer of ownership" },
  "members.ownership_is_offered": { status: 409, title: "Ownership is offered, and accepted" },
  "members.pending": { status: 403, title: "This membership waits to be admitted" },
  "members.permission_denied": { status: 403, title: "A permission is missing" },
  "members.permission_unknown": { status: 422, title: "There is no such permission" },
  "members.registration_closed": { status: 403, title: "This tenant takes no registrations" },
  "members.role_above_own": { status: 403, title: "The role is above your own" },
  "members.role_built_in": { status: 409, title: "Built-in roles stay as they are" },
  "members.role_in_use": { status: 409, title: "Members still have this role" },
  "members.role_not_found": { status: 404, title: "No such role" },
  "members.waits_for_you": { status: 409, title: "What is lacking is a decision of yours" },
  "members.suspended": { status: 403, title: "This membership is suspended" },

  "invitations.already_invited": { status: 409, title: "There is an open invitation already" },
  "invitations.ended": { status: 409, title: "The invitation was used, taken back, or ran out" },
  "invitations.not_found": { status: 404, title: "No such invitation" },
  "invitations.other_address": { status: 403, title: "The invitation is for another address" },
  "invitations.twice": { status: 422, title: "The address stands in the list before" },

  "locations.not_found": { status: 404, title: "No such location" },
  "locations.not_yours": { status: 403, title: "Not a location at which you act" },

  "admin.already_appealed": { status: 409, title: "This decision was appealed already" },
  "admin.appeal_not_found": { status: 404, title: "No such appeal" },
  "admin.decision_ended": { status: 409, title: "This decision does not stand any more" },
  "admin.decision_not_found": { status: 404, title: "No such decision" },
  "admin.impersonation_not_found": { status: 404, title: "No such impersonation" },
  "admin.own_decision": { status: 403, title: "Somebody else looks at it again" },

  "jobs.not_found": { status: 404, title: "No such schedule" },

  "limits.exceeded": { status: 429, title: "Too many requests, try again later" },
  "limits.feature_unknown": { status: 422, title: "There is no such feature switch" },

  "email.not_configured": { status: 503, title: "This project sends no mail yet" },
  "notifications.link_refused": { status: 403, title: "The link is not one of ours" },
  "push.not_configured": { status: 503, title: "This project pushes to no browser yet" },
  "webhooks.signature_refused": {
    status: 401,
    title: "The signature is missing, wrong, old or used before",
  },

  "files.damaged": { status: 422, title: "The file is damaged, or not what it seems" },
  "files.not_found": { status: 404, title: "No such file" },
  "files.quota_exceeded": { status: 409, title: "There is no room left for this file" },
  "files.too_large": { status: 413, title: "The file is too large" },
  "files.too_many_pixels": { status: 422, title: "The picture has too many pixels" },
  "files.type_unsupported": { status: 415, title: "Files of this type are not taken here" },

  "documents.already_submitted": { status: 409, title: "Such a document waits to be checked" },
  "documents.claimed": { status: 409, title: "Another reviewer has it in hand" },
  "documents.file_missing": { status: 409, title: "The scan is gone, or was refused" },
  "documents.match_needed": {
    status: 422,
    title: "What was stated has to be found in the document first",
  },
  "documents.not_found": { status: 404, title: "No such document" },
  "documents.own_document": { status: 403, title: "Nobody checks their own documents" },
  "documents.second_reviewer_needed": { status: 403, title: "Another reviewer has to decide" },
  "documents.submissions_exhausted": { status: 409, title: "It was handed in too often" },
  "documents.type_unknown": { status: 422, title: "Such documents are not taken here" },

  "wallet.account_closed": { status: 409, title: "The account is closed" },
  "wallet.account_frozen": { status: 409, title: "The account is frozen" },
  "wallet.already_reversed": {
    status: 409,
    title: "It was reversed already, or is itself a reversal",
  },
  "wallet.batch_refused": {
    status: 422,
    title: "Lines of the batch are faulty, nothing was moved",
  },
  "wallet.currency_unknown": { status: 422, title: "This tenant has no such currency" },
  "wallet.hold_expired": { status: 409, title: "The hold ran out" },
  "wallet.hold_resolved": { status: 409, title: "The hold was captured or voided" },
  "wallet.holds_open": { status: 409, title: "Amounts are still held on the account" },
  "wallet.idempotency_mismatch": { status: 422, title: "This key was used for another request" },
  "wallet.insufficient_funds": { status: 409, title: "The available balance is too low" },
  "wallet.invalid_amount": { status: 422, title: "The amount is not acceptable" },
  "wallet.key_required": { status: 422, title: "An idempotency key is needed" },
  "wallet.limit_exceeded": { status: 409, title: "A limit of the account stands against it" },
  "wallet.not_found": { status: 404, title: "No such account, transfer, hold or request" },
  "wallet.organisation_taken": { status: 409, title: "Another organisation has this name" },
  "wallet.recipient_not_found": { status: 404, title: "No such recipient" },
  "wallet.request_resolved": { status: 409, title: "The request was answered, or ran out" },
  "wallet.self_transfer": { status: 422, title: "Sender and recipient are the same" },
  "wallet.unbalanced": { status: 422, title: "The legs do not sum to zero" },
} as const;

export type ErrorCode = keyof typeof catalogue;

export const isErrorCode = (code: unknown): code is ErrorCode =>
  typeof code === "string" && Object.hasOwn(catalogue, code);
