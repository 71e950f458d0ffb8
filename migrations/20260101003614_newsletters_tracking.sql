-- Newsletters, tracking: links that are counted, and opens of those who let them be noted. A link of a
-- mail is signed and names a place in the issue's own list, so it leads nowhere else, whoever made it.

create function public.newsletters_consent(tenant_id uuid, given boolean)
returns boolean
language plpgsql
volatile
security definer -- clients may not write consents
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(newsletters_consent.tenant_id, 'newsletters.receive');
begin
  if newsletters_consent.given is null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'given';
  elsif newsletters_consent.given then
    insert into private.newsletters_consents (tenant_id, person_id)
    values (newsletters_consent.tenant_id, v_me)
    on conflict do nothing;
  else
    delete from private.newsletters_consents c
    where c.tenant_id = newsletters_consent.tenant_id and c.person_id = v_me;
    -- What was noted under it goes with it; the sums name nobody.
    update private.newsletters_recipients r set opened_at = null
    where r.tenant_id = newsletters_consent.tenant_id and r.person_id = v_me and r.opened_at is not null;
  end if;
  if found then
    perform private.audit(
      'NEWSLETTER_CONSENT_CHANGED', 'people:' || v_me, null,
      jsonb_build_object('given', newsletters_consent.given), newsletters_consent.tenant_id, v_me
    );
  end if;
  return newsletters_consent.given;
end;
$$;
comment on function public.newsletters_consent(uuid, boolean) is
  'Whether it may be noted that the caller opened a newsletter; unless they said so, nothing is (permission newsletters.receive). Raises request.invalid.';
grant execute on function public.newsletters_consent(uuid, boolean) to authenticated;

create function private.newsletters_track(event private.notifications_events)
returns jsonb
language plpgsql
stable
security definer -- reads the vault and consents
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_links text[];
  v_token text := translate(
    encode(
      convert_to(jsonb_build_array(event.tenant_id, event.document_id, event.person_id)::text, 'UTF8'), 'base64'
    ),
    E'+/=\n', '-_'
  );
begin
  select v.links into v_links from public.newsletters_variants v
  where v.tenant_id = event.tenant_id and v.id = event.document_id;
  if not found then
    return null;
  end if;
  return jsonb_build_object(
    'token', v_token || '.' || private.notifications_mac('newsletters.' || v_token),
    'links', to_jsonb(v_links),
    'opens', exists (
      select from private.newsletters_consents c
      where c.tenant_id = event.tenant_id and c.person_id = event.person_id
    )
  );
end;
$$;
comment on function private.newsletters_track(private.notifications_events) is
  'What the mail of an issue to one reader carries so that it is counted: { token, links, opens }; null for what is no issue.';

update private.notifications_kinds set track = 'newsletters_track' where kind = 'newsletters.issue';

create type private.newsletters_read as (
  tenant_id uuid,
  variant_id uuid,
  person_id uuid
);
comment on type private.newsletters_read is 'Which mail of which issue a link comes from.';

create function private.newsletters_open_token(token text)
returns private.newsletters_read
language plpgsql
stable
security definer -- reads the vault
set search_path = ''
as $$
declare
  v_content text := split_part(coalesce(token, ''), '.', 1);
  v_parts jsonb;
  v_read private.newsletters_read;
begin
  -- Digests have one length and nothing in common, so comparing them tells nobody how close they came.
  if char_length(coalesce(token, '')) > 400 or v_content = ''
    or sha256(convert_to(split_part(token, '.', 2), 'UTF8'))
      <> sha256(convert_to(private.notifications_mac('newsletters.' || v_content), 'UTF8'))
  then
    raise sqlstate 'PT403' using message = 'newsletters.link_refused';
  end if;
  v_parts := convert_from(
    decode(rpad(translate(v_content, '-_', '+/'), (char_length(v_content) + 3) / 4 * 4, '='), 'base64'), 'UTF8'
  )::jsonb;
  v_read.tenant_id := (v_parts ->> 0)::uuid;
  v_read.variant_id := (v_parts ->> 1)::uuid;
  v_read.person_id := (v_parts ->> 2)::uuid;
  return v_read;
end;
$$;
comment on function private.newsletters_open_token(text) is
  'Which mail a link comes from. Raises newsletters.link_refused for what we did not sign.';

create function private.newsletters_note_open(reading private.newsletters_read)
returns boolean
language plpgsql
volatile
security definer -- nobody else writes recipients
set search_path = ''
as $$
#variable_conflict use_column
begin
  update private.newsletters_recipients r set opened_at = now()
  from public.newsletters_variants v, private.newsletters_consents c
  where v.tenant_id = reading.tenant_id and v.id = reading.variant_id
    and c.tenant_id = reading.tenant_id and c.person_id = reading.person_id
    and r.tenant_id = v.tenant_id and r.newsletter_id = v.newsletter_id and r.person_id = c.person_id
    and r.variant_id = v.id and r.opened_at is null;
  if found then
    insert into private.newsletters_marks (tenant_id, variant_id, what)
    values (reading.tenant_id, reading.variant_id, 'opened');
    return true;
  end if;
  return false;
end;
$$;
comment on function private.newsletters_note_open(private.newsletters_read) is
  'Notes that a reader opened an issue: once, and only where they let it be noted.';

create function public.newsletters_opened(token text)
returns boolean
language plpgsql
volatile
security definer -- nobody else writes recipients
set search_path = ''
as $$
begin
  return private.newsletters_note_open(private.newsletters_open_token(newsletters_opened.token));
end;
$$;
comment on function public.newsletters_opened(text) is
  'For the function api: somebody''s mail program loaded the picture of an issue. True where that is new and may be noted. Raises newsletters.link_refused.';
grant execute on function public.newsletters_opened(text) to service_role;

create function public.newsletters_clicked(token text, link integer)
returns text
language plpgsql
volatile
security definer -- nobody else writes marks
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_read private.newsletters_read := private.newsletters_open_token(newsletters_clicked.token);
  v_url text;
begin
  select v.links[newsletters_clicked.link + 1] into v_url from public.newsletters_variants v
  where v.tenant_id = v_read.tenant_id and v.id = v_read.variant_id;
  if v_url is null then
    raise sqlstate 'PT403' using message = 'newsletters.link_refused';
  end if;
  -- The link leads on in any case; whoever follows it all day is counted no more.
  if (private.rate_limit(
    'newsletters-click:' || v_read.variant_id || ':' || v_read.person_id, 20, interval '1 hour'
  )).allowed then
    insert into private.newsletters_marks (tenant_id, variant_id, what)
    values (v_read.tenant_id, v_read.variant_id, 'clicked');
  end if;
  perform private.newsletters_note_open(v_read);
  return v_url;
end;
$$;
comment on function public.newsletters_clicked(text, integer) is
  'For the function api: somebody followed a link of an issue; where it leads. Who it was is noted only where they let it be. Raises newsletters.link_refused.';
grant execute on function public.newsletters_clicked(text, integer) to service_role;
