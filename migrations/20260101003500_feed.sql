-- Feed: what members tell each other, in the whole tenant or in one of its groups. One rule says who
-- sees a post; comments, reactions, polls and pictures are seen by whoever sees the post they belong to.

select private.declare_permission(
  'feed.read', 'Read the feed', array['admin', 'staff', 'member', 'guest']
);
select private.declare_permission(
  'feed.post', 'Post, comment, react and vote', array['admin', 'staff', 'member']
);
select private.declare_permission(
  'feed.moderate', 'Pin and delete what others post', array['admin', 'staff']
);

insert into private.audit_actions (name, description)
values
  ('FEED_PINNED', 'A post was pinned, or taken down from there'),
  ('FEED_REMOVED', 'A moderator deleted what somebody else posted');

-- Posts
create table public.feed_posts (
  tenant_id uuid not null references public.tenants (id) on delete restrict,
  id uuid not null default private.uuid_v7(),
  author_id uuid not null,
  group_id uuid,
  body text check (char_length(body) between 1 and 20000),
  mentions uuid[] not null default '{}',
  files uuid[] not null default '{}',
  tags text[] not null default '{}',
  client_id text check (char_length(client_id) between 1 and 64),
  version integer not null default 1,
  pinned_at timestamptz,
  created_at timestamptz not null default now(),
  edited_at timestamptz,
  deleted_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, author_id) references public.members (tenant_id, person_id) on delete restrict,
  foreign key (tenant_id, group_id) references public.groups (tenant_id, id) on delete cascade
);
comment on table public.feed_posts is
  'Posts, the newest with the highest id. Deleted ones have lost what they said, and go for good after 30 days.';
comment on column public.feed_posts.group_id is 'Null: for the whole tenant.';
comment on column public.feed_posts.client_id is 'The client''s own id of the post: sent again, it is answered with the first one.';
-- The home feed is a walk along these two, whatever lies between what one reader sees.
create index feed_posts_everywhere on public.feed_posts (tenant_id, id desc)
  where group_id is null and deleted_at is null;
create index feed_posts_group on public.feed_posts (tenant_id, group_id, id desc) where deleted_at is null;
create index feed_posts_author on public.feed_posts (tenant_id, author_id, id desc);
create unique index feed_posts_client on public.feed_posts (tenant_id, author_id, client_id)
  where client_id is not null;
create index feed_posts_pinned on public.feed_posts (tenant_id, pinned_at) where pinned_at is not null;
create index feed_posts_deleted on public.feed_posts (deleted_at) where deleted_at is not null;

create table private.feed_tags (
  tenant_id uuid not null,
  tag text not null,
  post_id uuid not null,
  primary key (tenant_id, tag, post_id),
  foreign key (tenant_id, post_id) references public.feed_posts (tenant_id, id) on delete cascade
);
comment on table private.feed_tags is 'The #tags of posts, in lower case: each is a feed of its own.';
create index feed_tags_post on private.feed_tags (tenant_id, post_id);

create table public.feed_attachments (
  tenant_id uuid not null,
  file_id uuid not null,
  post_id uuid not null,
  primary key (tenant_id, file_id, post_id),
  foreign key (tenant_id, post_id) references public.feed_posts (tenant_id, id) on delete cascade,
  foreign key (tenant_id, file_id) references public.files (tenant_id, id) on delete cascade
);
comment on table public.feed_attachments is 'Which posts show a picture: who sees one of them sees the picture.';
create index feed_attachments_post on public.feed_attachments (tenant_id, post_id);

-- Comments
create table public.feed_comments (
  tenant_id uuid not null,
  id uuid not null default private.uuid_v7(),
  post_id uuid not null,
  parent_id uuid,
  thread_id uuid not null generated always as (coalesce(parent_id, post_id)) stored,
  author_id uuid not null,
  body text check (char_length(body) between 1 and 20000),
  mentions uuid[] not null default '{}',
  client_id text check (char_length(client_id) between 1 and 64),
  version integer not null default 1,
  created_at timestamptz not null default now(),
  edited_at timestamptz,
  deleted_at timestamptz,
  primary key (tenant_id, id),
  unique (tenant_id, post_id, id),
  foreign key (tenant_id, post_id) references public.feed_posts (tenant_id, id) on delete cascade,
  foreign key (tenant_id, post_id, parent_id)
    references public.feed_comments (tenant_id, post_id, id) on delete cascade,
  foreign key (tenant_id, author_id) references public.members (tenant_id, person_id) on delete restrict
);
comment on table public.feed_comments is
  'Comments on posts, and answers to comments: one level, no deeper. Deleted ones keep their place for the answers below them.';
comment on column public.feed_comments.thread_id is 'What it stands below: the post, or the comment it answers.';
create index feed_comments_thread on public.feed_comments (tenant_id, thread_id, id);
create index feed_comments_parent on public.feed_comments (tenant_id, post_id, parent_id);
create index feed_comments_author on public.feed_comments (tenant_id, author_id, id);
create unique index feed_comments_client on public.feed_comments (tenant_id, author_id, client_id)
  where client_id is not null;
create index feed_comments_deleted on public.feed_comments (deleted_at) where deleted_at is not null;

create table public.feed_edits (
  tenant_id uuid not null,
  subject_id uuid not null,
  version integer not null,
  post_id uuid not null,
  body text,
  created_at timestamptz not null default now(),
  primary key (tenant_id, subject_id, version),
  foreign key (tenant_id, post_id) references public.feed_posts (tenant_id, id) on delete cascade
);
comment on table public.feed_edits is
  'What edited posts and comments (subject_id) said before, for whoever sees them. Deleting them deletes these.';
create index feed_edits_post on public.feed_edits (tenant_id, post_id);

-- Reactions, and what is counted
create table public.feed_reactions (
  tenant_id uuid not null,
  subject_id uuid not null,
  kind text not null check (kind in ('like', 'love', 'laugh', 'wow', 'sad', 'thanks')),
  person_id uuid not null,
  post_id uuid not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, subject_id, person_id, kind),
  foreign key (tenant_id, post_id) references public.feed_posts (tenant_id, id) on delete cascade,
  foreign key (tenant_id, person_id) references public.members (tenant_id, person_id) on delete restrict
);
comment on table public.feed_reactions is 'Who reacted how to a post or a comment (subject_id): of each kind once.';
create index feed_reactions_post on public.feed_reactions (tenant_id, post_id);
create index feed_reactions_person on public.feed_reactions (tenant_id, person_id);

create table public.feed_tallies (
  tenant_id uuid not null,
  subject_id uuid not null,
  post_id uuid not null,
  comments integer not null default 0,
  reactions jsonb not null default '{}',
  primary key (tenant_id, subject_id),
  foreign key (tenant_id, post_id) references public.feed_posts (tenant_id, id) on delete cascade
) with (fillfactor = 70); -- each reaction updates its row: room for that on the same page
comment on table public.feed_tallies is
  'How many comments and which reactions a post has, or a comment (subject_id): kept as sums, apart from the words, which are longer. No row: none.';
create index feed_tallies_post on public.feed_tallies (tenant_id, post_id);

-- Polls
create table public.feed_polls (
  tenant_id uuid not null,
  post_id uuid not null,
  options text[] not null check (cardinality(options) between 2 and 10),
  multiple boolean not null,
  anonymous boolean not null,
  closes_at timestamptz,
  primary key (tenant_id, post_id),
  foreign key (tenant_id, post_id) references public.feed_posts (tenant_id, id) on delete cascade
);
comment on table public.feed_polls is 'The poll of a post, which asks the question. Results are for who voted, and for all once it is closed.';

create table private.feed_results (
  tenant_id uuid not null,
  post_id uuid not null,
  votes integer[] not null,
  voters integer not null default 0,
  primary key (tenant_id, post_id),
  foreign key (tenant_id, post_id) references public.feed_polls (tenant_id, post_id) on delete cascade
);
comment on table private.feed_results is 'How often each option was chosen, and by how many people. Its row lock orders the votes.';

create table public.feed_votes (
  tenant_id uuid not null,
  post_id uuid not null,
  person_id uuid not null,
  choices integer[],
  primary key (tenant_id, post_id, person_id),
  foreign key (tenant_id, post_id) references public.feed_polls (tenant_id, post_id) on delete cascade,
  foreign key (tenant_id, person_id) references public.members (tenant_id, person_id) on delete restrict
);
comment on table public.feed_votes is
  'Who voted. What they chose stands nowhere where the poll is anonymous, for nobody and not for operators.';
create index feed_votes_person on public.feed_votes (tenant_id, person_id);

-- Trending
create table private.feed_trends (
  tenant_id uuid not null,
  post_id uuid not null,
  score double precision not null default 0,
  fresh integer not null default 0,
  scored_at timestamptz not null default now(),
  primary key (tenant_id, post_id),
  foreign key (tenant_id, post_id) references public.feed_posts (tenant_id, id) on delete cascade
) with (fillfactor = 70);
comment on table private.feed_trends is
  'Posts that people took part in of late: what came since the last hour (fresh), and what is left of the hours before (score).';
create index feed_trends_score on private.feed_trends (tenant_id, score desc, post_id desc);
create index feed_trends_scored on private.feed_trends (scored_at);
