import type { ClientBase, Pool } from "pg";

/** A setting as `set_config` takes it. */
export type Setting = [name: string, value: string];

/** A function as PostgREST's schema cache knows it. */
export interface Routine {
  schema: string;
  name: string;
  args: { name: string; type: string }[];
  /** How many of `args` must be given. */
  required: number;
  variadic: boolean;
  volatile: boolean;
  settings: Setting[];
}

interface Snapshot {
  routines: Map<string, Routine[]>;
  columns: Map<string, Map<string, string>>;
  roles: Map<string, Setting[]>;
}

interface Relation {
  relation: string;
  types: Record<string, string>;
}

interface Member {
  role: string;
  settings: string[];
}

const routines = `
  select n.nspname as schema, p.proname as name, p.provolatile = 'v' as volatile,
    p.provariadic <> 0 as variadic, p.pronargs - p.pronargdefaults as required,
    coalesce(p.proconfig, '{}') as settings,
    array(
      select json_build_object(
        'name', coalesce(p.proargnames[a.ord], ''),
        'type', format_type(a.type, null)
      )
      from unnest(coalesce(p.proallargtypes, p.proargtypes::oid[]), p.proargmodes)
        with ordinality a (type, mode, ord)
      where coalesce(a.mode, 'i') in ('i', 'b', 'v')
      order by a.ord
    ) as args
  from pg_proc p join pg_namespace n on n.oid = p.pronamespace
  where n.nspname = any ($1) and p.prokind = 'f'`;

const columns = `
  select n.nspname || '.' || c.relname as relation,
    json_object_agg(a.attname, format_type(a.atttypid, a.atttypmod)) as types
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  where n.nspname = any ($1) and c.relkind in ('r', 'v', 'm', 'f', 'p')
  group by 1`;

// As PostgREST reads them: settings of the roles it may become, but only those that a role without
// privileges could set.
const roles = `
  select r.rolname as role, array_agg(c.pair) as settings
  from pg_auth_members m
  join pg_roles r on r.oid = m.roleid
  cross join unnest(r.rolconfig) c (pair)
  join pg_settings s on s.name = split_part(c.pair, '=', 1) and s.context = 'user'
  where m.member = $1::regrole
  group by 1`;

/** What the mends know of the database beyond lite's own introspection; read anew when it changes. */
export class Catalogue {
  #snapshot: Promise<Snapshot> | undefined;

  constructor(
    private readonly pool: Pool,
    private readonly schemas: string[],
    private readonly loginRole: string,
  ) {}

  async ready(): Promise<void> {
    await this.#read();
  }

  clear(): void {
    this.#snapshot = undefined;
  }

  /** The one function a call with these arguments means; undefined where there is none or a choice. */
  async routine(schema: string, name: string, given: string[]): Promise<Routine | undefined> {
    const { routines } = await this.#read();
    const fitting = routines.get(`${schema}.${name}`)?.filter((routine) => takes(routine, given));
    return fitting?.length === 1 ? fitting[0] : undefined;
  }

  /** The types of a relation's columns, as text that names them wherever it stands. */
  async columns(schema: string, relation: string): Promise<Map<string, string> | undefined> {
    return (await this.#read()).columns.get(`${schema}.${relation}`);
  }

  async roleSettings(role: string): Promise<Setting[]> {
    return (await this.#read()).roles.get(role) ?? [];
  }

  #read(): Promise<Snapshot> {
    if (this.#snapshot) return this.#snapshot;
    const reading = this.#readNow();
    this.#snapshot = reading;
    reading.catch(() => {
      if (this.#snapshot === reading) this.#snapshot = undefined;
    });
    return reading;
  }

  async #readNow(): Promise<Snapshot> {
    const client = await this.pool.connect();
    let failed = true;
    try {
      // With an empty path format_type() qualifies every name that is not Postgres' own.
      await client.query("begin read only");
      await client.query("set local search_path = ''");
      const snapshot = await this.#query(client);
      await client.query("commit");
      failed = false;
      return snapshot;
    } finally {
      client.release(failed);
    }
  }

  async #query(client: ClientBase): Promise<Snapshot> {
    type Found = Omit<Routine, "settings"> & { settings: string[] };
    const { rows: found } = await client.query<Found>(routines, [this.schemas]);
    const { rows: relations } = await client.query<Relation>(columns, [this.schemas]);
    const { rows: members } = await client.query<Member>(roles, [this.loginRole]);
    return {
      routines: Map.groupBy(
        found.map((row) => ({ ...row, settings: row.settings.map(asSetting) })),
        ({ schema, name }) => `${schema}.${name}`,
      ),
      columns: new Map(
        relations.map(({ relation, types }) => [relation, new Map(Object.entries(types))]),
      ),
      roles: new Map(
        members.map(({ role, settings }) => [role, settings.map(asSetting)]),
      ),
    };
  }
}

function takes({ args, required }: Routine, given: string[]): boolean {
  const names = args.map(({ name }) => name);
  return given.every((name) => names.includes(name)) &&
    names.slice(0, required).every((name) => given.includes(name));
}

function asSetting(text: string): Setting {
  const equals = text.indexOf("=");
  return [text.slice(0, equals), text.slice(equals + 1)];
}
