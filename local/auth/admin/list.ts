import type { Auth } from "../auth.ts";
import type { Call } from "../call.ts";
import { fragment } from "../database.ts";
import { invalid } from "../errors.ts";
import { audience, instance, present, type User, userColumns } from "../users.ts";

const defaultPerPage = 50;

/** `GET /admin/users`: the newest first, a page at a time, as headers tell. */
export async function listUsers(auth: Auth, call: Call): Promise<Response> {
  const page = numberOf(call, "page", 1);
  const perPage = numberOf(call, "per_page", defaultPerPage);
  const matching = matchingUsers(call.query.get("filter") ?? "");
  const [counted] = await auth.sql<{ total: string }>`select count(*) as total ${matching}`;
  const users = await auth.sql<User>`
    select ${userColumns} ${matching}
    order by u.created_at desc, u.id limit ${perPage} offset ${(page - 1) * perPage}`;
  const total = Number(counted!.total);
  return Response.json({ users: users.map(present), aud: audience }, {
    headers: {
      "x-total-count": String(total),
      link: pageLinks(call.query, page, Math.ceil(total / perPage)),
    },
  });
}

function matchingUsers(filter: string) {
  const everybody = fragment`from auth.users u
    where u.instance_id = ${instance} and u.aud = ${audience}`;
  if (filter === "") return everybody;
  const pattern = `%${filter.replace(/[\\%_]/g, "\\$&")}%`;
  return fragment`${everybody}
    and (u.email like ${pattern} or u.raw_user_meta_data ->> 'full_name' ilike ${pattern})`;
}

function numberOf({ query }: Call, name: string, otherwise: number): number {
  const text = query.get(name);
  if (!text) return otherwise;
  const value = Number(text);
  if (/^\d+$/.test(text) && value > 0 && Number.isSafeInteger(value)) return value;
  throw invalid(`Bad Pagination Parameters: strconv.ParseUint: parsing "${text}": invalid syntax`);
}

/** Links to the next and the last page; clients read the page's number out of them. */
function pageLinks(query: URLSearchParams, page: number, pages: number): string {
  const linkTo = (number: number, relation: string) => {
    const parameters = new URLSearchParams(query);
    parameters.set("page", String(number));
    parameters.sort();
    return `</admin/users?${parameters}>; rel="${relation}"`;
  };
  const next = pages > page ? [linkTo(page + 1, "next")] : [];
  return [...next, linkTo(pages, "last")].join(", ");
}
