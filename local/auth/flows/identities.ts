import { audit } from "../audit.ts";
import type { Auth } from "../auth.ts";
import type { Json } from "../body.ts";
import type { Call } from "../call.ts";
import { AuthError } from "../errors.ts";
import { isUuid, requireUser } from "../guard.ts";
import { lockUser } from "../users.ts";

/** `DELETE /user/identities/{id}`: a provider that opens the account no longer; the last one stays. */
export async function unlinkIdentity(auth: Auth, call: Call): Promise<Json> {
  if (!auth.config.manualLinkingEnabled) {
    throw new AuthError(404, "manual_linking_disabled", "Manual linking is disabled");
  }
  const { user } = await requireUser(auth, call);
  const { id } = call.params;
  if (!isUuid(id)) throw new AuthError(404, "validation_failed", "identity_id must be an UUID");
  await auth.sql.transaction(async (sql) => {
    const { identities } = (await lockUser(sql, user.id))!;
    if (identities.length <= 1) {
      const message = "User must have at least 1 identity after unlinking";
      throw new AuthError(422, "single_identity_not_deletable", message);
    }
    const gone = identities.find((identity) => identity.id === id);
    if (!gone) throw new AuthError(422, "identity_not_found", "Identity doesn't exist");
    const { provider, provider_id } = gone;
    await audit(sql, user, "identity_unlinked", { identity_id: id, provider, provider_id });
    const left = identities.filter((identity) => identity !== gone);
    const providers = [...new Set(left.map(({ provider }) => provider))];
    // Of a login without its own identity of mail, the address is that of the first one left.
    const address = left.find(({ email }) => email === user.email)?.email ?? left[0]!.email;
    await sql`
      with gone as (delete from auth.identities where id = ${id})
      update auth.users set
        email = coalesce(${address}::text, email), updated_at = now(),
        raw_app_meta_data = coalesce(raw_app_meta_data, '{}')
          || ${{ provider: providers[0], providers }}
      where id = ${user.id}`;
  });
  return {};
}
