"""Rows of the audit, its keys and its roots; nothing here changes what is there."""

from collections.abc import Sequence

import msgspec

from quantdesk.access.audit.chain import GENESIS_HASH, Batch, Head, Row
from quantdesk.access.audit.signing import PublicKey, Root
from quantdesk.core.clock import utc
from quantdesk.store.pool import Connection

_LOCK = 0x71_64_61_75  # "qdau"; any number that nothing else in this database locks
_ROW = "seq, prev_hash, hash, body::text as body"
_BEYOND = "~"  # sorts after whatever an action is made of
_AFTER_ALL = 2**62


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows a page holds: newest first, before row `before`; times in Unix milliseconds."""

    account: str | None = None
    action: str | None = None
    """What the action begins with."""
    about: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None
    before: int | None = None
    limit: int = 50


class Protection(msgspec.Struct, frozen=True):
    """What keeps the desk from changing the audit."""

    role: str | None
    """The role that may only add; None when the login's own rights are in force."""
    triggers: bool
    """Whether triggers refuse changes to everybody."""


async def alone(c: Connection) -> bool:
    """Return whether this transaction may append: one at a time, over all processes."""
    held: bool = await c.fetchval("select pg_try_advisory_xact_lock($1)", _LOCK)
    return held


async def wait_alone(c: Connection) -> None:
    """Return once this transaction may append."""
    await c.execute("select pg_advisory_xact_lock($1)", _LOCK)


async def head(c: Connection) -> Head:
    """Return the last row's number and hash."""
    row = await c.fetchrow("select seq, hash from audit order by seq desc limit 1")
    return Head(0, GENESIS_HASH) if row is None else Head(row["seq"], row["hash"])


async def hash_at(c: Connection, seq: int) -> bytes | None:
    """Return a row's hash, if there is such a row; before the first it is known."""
    if not seq:
        return GENESIS_HASH
    found: bytes | None = await c.fetchval("select hash from audit where seq = $1", seq)
    return found


async def append(c: Connection, rows: Sequence[Row]) -> None:
    """Append rows to the audit."""
    await c.execute(
        """insert into audit (seq, prev_hash, hash, body) select seq, prev, hash, body::json
           from unnest($1::bigint[], $2::bytea[], $3::bytea[], $4::text[])
             as u(seq, prev, hash, body)
           order by seq""",
        [row.seq for row in rows],
        [row.prev_hash for row in rows],
        [row.hash for row in rows],
        [row.body for row in rows],
    )


async def cover(c: Connection, batches: Sequence[Batch], *, seq: int) -> None:
    """Note which row covers these batches."""
    await c.execute(
        """insert into audited_batches (kind, batch, seq)
           select kind, batch, $3 from unnest($1::text[], $2::bigint[]) as u(kind, batch)""",
        [batch.kind for batch in batches],
        [batch.number for batch in batches],
        seq,
    )


async def rows(c: Connection, *, after: int, limit: int) -> list[Row]:
    """Return the rows that follow a number, in order."""
    found = await c.fetch(
        f"select {_ROW} from audit where seq > $1 order by seq limit $2",  # noqa: S608 - of constants
        after,
        limit,
    )
    return [Row(*row) for row in found]


async def between(
    c: Connection, *, after: int, from_ms: int | None, to_ms: int | None, limit: int
) -> list[Row]:
    """Return the rows of a time that follow a number, in order."""
    found = await c.fetch(
        f"""select {_ROW} from audit where seq > $1
            and ($2::bigint is null or (body ->> 'at')::bigint >= $2)
            and ($3::bigint is null or (body ->> 'at')::bigint < $3)
            order by seq limit $4""",  # noqa: S608 - of constants
        after,
        from_ms,
        to_ms,
        limit,
    )
    return [Row(*row) for row in found]


async def page(c: Connection, wanted: Filter) -> list[Row]:
    """Return the rows wanted, newest first."""
    found = await c.fetch(
        f"""select {_ROW} from audit where seq < $1
            and ($2::text is null or body ->> 'account' = $2)
            and ($3::text is null or (body ->> 'action') collate "C" >= $3
                and (body ->> 'action') collate "C" < $3 || '{_BEYOND}')
            and ($4::text is null or body ->> 'about' = $4)
            and ($5::bigint is null or (body ->> 'at')::bigint >= $5)
            and ($6::bigint is null or (body ->> 'at')::bigint < $6)
            order by seq desc limit $7""",  # noqa: S608 - of constants
        _AFTER_ALL if wanted.before is None else wanted.before,
        wanted.account,
        wanted.action,
        wanted.about,
        wanted.from_ms,
        wanted.to_ms,
        wanted.limit,
    )
    return [Row(*row) for row in found]


async def hashes(c: Connection, *, after: int, last: int, limit: int) -> list[bytes]:
    """Return the hashes of the rows that follow a number, up to the last, in order."""
    found = await c.fetch(
        "select hash from audit where seq > $1 and seq <= $2 order by seq limit $3",
        after,
        last,
        limit,
    )
    return [row["hash"] for row in found]


async def first_at(c: Connection) -> int | None:
    """Return when the first row happened, in Unix milliseconds."""
    found: int | None = await c.fetchval(
        "select (body ->> 'at')::bigint from audit order by seq limit 1"
    )
    return found


async def last_root(c: Connection) -> Root | None:
    """Return the newest root, if any."""
    row = await c.fetchrow(
        "select statement::text, key, signature from audit_roots order by last_seq desc limit 1"
    )
    return row and Root(*row)


async def root_over(c: Connection, seq: int) -> Root | None:
    """Return the root that covers a row, if one does yet."""
    row = await c.fetchrow(
        """select statement::text, key, signature from audit_roots where last_seq >= $1
           order by last_seq limit 1""",
        seq,
    )
    return row and Root(*row)


async def roots(c: Connection, *, after: int, limit: int) -> list[Root]:
    """Return the roots whose last row follows a number, in order."""
    found = await c.fetch(
        """select statement::text, key, signature from audit_roots where last_seq > $1
           order by last_seq limit $2""",
        after,
        limit,
    )
    return [Root(*row) for row in found]


async def add_root(c: Connection, root: Root, *, last: int) -> None:
    """Insert a root."""
    await c.execute(
        """insert into audit_roots (last_seq, statement, key, signature)
           values ($1, $2::text::json, $3, $4)""",
        last,
        root.statement,
        root.key,
        root.signature,
    )


async def keys(c: Connection) -> dict[str, PublicKey]:
    """Return every key that ever signed, by its number."""
    found = await c.fetch("select id, public_key from audit_keys")
    return {row["id"]: PublicKey(row["id"], row["public_key"]) for row in found}


async def signer(c: Connection) -> tuple[str, bytes] | None:
    """Return the newest key's number and its sealed seed, if there is one."""
    row = await c.fetchrow(
        """select key, sealed from audit_signers s join audit_keys k on k.id = s.key
           order by k.made_at desc, k.id limit 1"""
    )
    return row and (row["key"], row["sealed"])


async def add_signer(c: Connection, key: PublicKey, *, sealed: bytes, at_ms: int) -> None:
    """Insert a key."""
    await c.execute(
        "insert into audit_keys (id, public_key, made_at) values ($1, $2, $3)",
        key.id,
        key.public,
        utc(at_ms),
    )
    await c.execute("insert into audit_signers (key, sealed) values ($1, $2)", key.id, sealed)


_PROTECTION = """
select current_user as role,
  bool_or(has_table_privilege(t, 'update, delete, truncate')) as writes,
  bool_and(exists (
    select from pg_trigger g join pg_proc p on p.oid = g.tgfoid
    where g.tgrelid = t and p.proname = 'append_only' and g.tgenabled = 'A')) as kept
from unnest(array['audit', 'audit_roots', 'audit_keys']::regclass[]) as t
"""


async def protection(c: Connection) -> Protection:
    """Return what keeps this connection from changing the audit."""
    row = await c.fetchrow(_PROTECTION)
    assert row is not None, "an aggregate has a row"
    return Protection(None if row["writes"] else row["role"], row["kept"])
