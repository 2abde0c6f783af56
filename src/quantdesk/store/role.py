"""The desk's own role in its database: it works with every table and changes none that is kept.

    login of the URL ── migrations, owns the tables ──▶ quantdesk_desk ── all that a desk does

A table is kept when its migration gave it the trigger `append_only`: the role may read it and add
to it. Partitions come and go while a desk runs, so it owns the partitioned tables. Where the login
may not make roles, somebody who may does it once (docs/how-to/audit.md); until then the trigger
alone refuses.

What the role may do is set at every start, so that tables of new migrations and restored backups
are covered: https://www.postgresql.org/docs/current/ddl-priv.html
"""

from typing import Any, Final

import asyncpg

ROLE: Final = "quantdesk_desk"

_THERE = "select exists (select from pg_roles where rolname = $1)"
_MEMBER = "select pg_has_role(current_user, $1, 'member')"

_RIGHTS: Final = f"""
do $rights$
declare
    home text := current_schema();
    found record;
begin
    if not (has_schema_privilege('{ROLE}', home, 'usage')
            and has_schema_privilege('{ROLE}', home, 'create')) then
        execute format('grant usage, create on schema %I to {ROLE}', home);
    end if;
    for found in
        select c.oid::regclass as name, c.relkind as kind, c.relname = 'migrations' as ours,
            c.relkind = 'p' or c.relispartition as moves,
            exists (select from pg_trigger t join pg_proc p on p.oid = t.tgfoid
                    where t.tgrelid = c.oid and p.proname = 'append_only') as kept
        from pg_class c where c.relnamespace = home::regnamespace
            and c.relkind in ('r', 'p', 'S', 'v', 'm') and pg_get_userbyid(c.relowner) <> '{ROLE}'
    loop
        if found.moves then
            execute format('alter table %s owner to {ROLE}', found.name);
        elsif found.kind = 'S' then
            execute format('grant usage on sequence %s to {ROLE}', found.name);
        elsif found.ours or found.kept then
            execute format('revoke all on %s from {ROLE}', found.name);
            execute format('grant %s on %s to {ROLE}',
                case when found.ours then 'select' else 'select, insert' end, found.name);
        else
            execute format('grant select, insert, update, delete on %s to {ROLE}', found.name);
        end if;
    end loop;
end $rights$
"""  # noqa: S608 - of constants

# By the rights on one table of ours: a database that no desk has set up keeps its login's.
_TAKE: Final = """
select set_config('role', rolname, false) from pg_roles where rolname = $1
  and pg_has_role(session_user, oid, 'member')
  and has_table_privilege(oid, to_regclass('migrations'), 'select')
"""


async def confine(c: Any) -> bool:  # noqa: ANN401 - asyncpg has no types
    """Make the role, or bring its rights up to date; return False where the login may not."""
    try:
        if not await c.fetchval(_THERE, ROLE):
            await c.execute(f"create role {ROLE} nologin")
        if not await c.fetchval(_MEMBER, ROLE):
            await c.execute(f"grant {ROLE} to current_user")
        await c.execute(_RIGHTS)
    except asyncpg.InsufficientPrivilegeError:
        return False
    except (asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError):
        # A desk on another database of this server made the role at the same moment.
        await c.execute(_RIGHTS)
    return True


async def take_role(c: Any) -> None:  # noqa: ANN401 - asyncpg has no types
    """Go on as the desk's role where there is one; else as who connected."""
    try:
        await c.fetchval(_TAKE, ROLE)
    except asyncpg.InsufficientPrivilegeError:
        return
