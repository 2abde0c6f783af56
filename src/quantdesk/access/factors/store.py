"""The SQL of second factors.

What may happen once only is decided by one statement: a step that is taken, a code that is used, a
challenge that is spent, a counter that goes up. Two processes at once cannot both succeed.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from quantdesk.access.factors.model import (
    CODE_TRIES_MAX,
    CODE_TRIES_MS,
    ENROLMENT_TRIES_MAX,
    TICKET_KEPT_MS,
    TICKET_TRIES_MAX,
    Factors,
    Passkey,
)
from quantdesk.core.clock import unix_ms, utc
from quantdesk.store.pool import Connection

_FORGOTTEN = 100
"""Rows past their time that each new one takes away: more go than come."""


async def factors(c: Connection, account_id: UUID) -> Factors:
    """Return the second factors of an account."""
    row = await c.fetchrow(
        """select (select added_at from totps where account_id = $1) as totp,
               (select count(*) from recovery_codes
                where account_id = $1 and used_at is null) as codes""",
        account_id,
    )
    assert row is not None, "a select without from returns a row"
    return Factors(
        totp_ms=row["totp"] and unix_ms(row["totp"]),
        recovery_left=row["codes"],
        passkeys=await passkeys(c, account_id),
    )


async def lock(c: Connection, account_id: UUID) -> None:
    """Let nobody else change the factors of an account until this transaction ends."""
    await c.execute("select 1 from accounts where id = $1 for no key update", account_id)


async def begin_enrolment(
    c: Connection, account_id: UUID, *, holder: UUID, seed: bytes, expires_ms: int
) -> None:
    """Keep the seed of an app that is being added; an earlier one is forgotten."""
    await c.execute(
        """insert into totp_enrolments (account_id, holder, seed, expires_at)
           values ($1, $2, $3, $4)
           on conflict (account_id) do update
           set holder = excluded.holder, seed = excluded.seed, tries = 0,
               expires_at = excluded.expires_at""",
        account_id,
        holder,
        seed,
        utc(expires_ms),
    )


async def try_enrolment(
    c: Connection, account_id: UUID, *, holder: UUID, now_ms: int
) -> bytes | None:
    """Count a try to confirm an app; return its seed, None when there is none to confirm."""
    seed: bytes | None = await c.fetchval(
        """update totp_enrolments set tries = tries + 1
           where account_id = $1 and holder = $2 and expires_at > $3 and tries < $4
           returning seed""",
        account_id,
        holder,
        utc(now_ms),
        ENROLMENT_TRIES_MAX,
    )
    return seed


async def end_enrolment(c: Connection, account_id: UUID, *, seed: bytes) -> bool:
    """Forget an app that was confirmed; False when another one has taken its place."""
    return await _did(
        c,
        "delete from totp_enrolments where account_id = $1 and seed = $2 returning true",
        account_id,
        seed,
    )


async def add_totp(c: Connection, account_id: UUID, *, seed: bytes, step: int, at_ms: int) -> bool:
    """Insert an app whose code of this step is taken; False when there is one already."""
    return await _did(
        c,
        """insert into totps (account_id, seed, last_step, wrong_since, added_at)
           values ($1, $2, $3, $4, $4) on conflict do nothing returning true""",
        account_id,
        seed,
        step,
        utc(at_ms),
    )


async def remove_totp(c: Connection, account_id: UUID) -> bool:
    """Delete the app of an account; False when there is none."""
    return await _did(c, "delete from totps where account_id = $1 returning true", account_id)


async def try_totp(c: Connection, account_id: UUID, *, now_ms: int) -> bytes | None:
    """Count a try as wrong until it proves right; return the seed.

    None when there is no app, or too many of its codes were wrong lately. Counted first, many
    tries at once find the same bound.
    """
    seed: bytes | None = await c.fetchval(
        """update totps
           set wrong = case when wrong_since <= $2 then 1 else wrong + 1 end,
               wrong_since = case when wrong_since <= $2 then $3 else wrong_since end
           where account_id = $1 and (wrong < $4 or wrong_since <= $2)
           returning seed""",
        account_id,
        utc(now_ms - CODE_TRIES_MS),
        utc(now_ms),
        CODE_TRIES_MAX,
    )
    return seed


async def take_step(c: Connection, account_id: UUID, *, seed: bytes, step: int) -> bool:
    """Take the code of a step; False when it or a later one was taken before."""
    return await _did(
        c,
        """update totps set last_step = $3, wrong = 0
           where account_id = $1 and seed = $2 and last_step < $3 returning true""",
        account_id,
        seed,
        step,
    )


async def replace_codes(c: Connection, account_id: UUID, hashes: Sequence[bytes]) -> None:
    """Give an account these recovery codes and no others."""
    await c.execute("delete from recovery_codes where account_id = $1", account_id)
    await c.executemany(
        "insert into recovery_codes (account_id, hash) values ($1, $2)",
        [(account_id, code) for code in hashes],
    )


async def use_code(c: Connection, account_id: UUID, *, code: bytes, at_ms: int) -> bool:
    """Use a recovery code up; False when there is no such one that is unused."""
    return await _did(
        c,
        """update recovery_codes set used_at = $3
           where account_id = $1 and hash = $2 and used_at is null returning true""",
        account_id,
        code,
        utc(at_ms),
    )


async def passkeys(c: Connection, account_id: UUID) -> tuple[Passkey, ...]:
    """Return the passkeys of an account, the oldest first."""
    rows = await c.fetch(
        "select * from passkeys where account_id = $1 order by added_at, id", account_id
    )
    return tuple(_passkey(row) for row in rows)


async def passkey(c: Connection, credential_id: bytes) -> Passkey | None:
    """Return the passkey of a credential's id, if there is one."""
    row = await c.fetchrow("select * from passkeys where credential_id = $1", credential_id)
    return row and _passkey(row)


async def add_passkey(c: Connection, added: Passkey) -> bool:
    """Insert a passkey; False when its credential is known already."""
    return await _did(
        c,
        """insert into passkeys
               (id, account_id, credential_id, public_key, sign_count, name, backed_up, added_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing returning true""",
        added.id,
        added.account_id,
        added.credential_id,
        added.public_key,
        added.sign_count,
        added.name,
        added.backed_up,
        utc(added.added_ms),
    )


async def remove_passkey(c: Connection, account_id: UUID, passkey_id: UUID) -> bool:
    """Delete a passkey of an account; False when it has no such one."""
    return await _did(
        c,
        "delete from passkeys where id = $1 and account_id = $2 returning true",
        passkey_id,
        account_id,
    )


async def count_up(c: Connection, passkey_id: UUID, *, sign_count: int, at_ms: int) -> bool:
    """Note that a passkey was used; False when its counter did not go up, or it is gone.

    Authenticators without a counter always say 0 (WebAuthn §6.1.1).
    """
    return await _did(
        c,
        """update passkeys set sign_count = $2, used_at = $3
           where id = $1 and (sign_count < $2 or (sign_count = 0 and $2 = 0)) returning true""",
        passkey_id,
        sign_count,
        utc(at_ms),
    )


async def remove_all(c: Connection, account_id: UUID) -> None:
    """Delete whatever second factors an account has: others set them up than its owner."""
    await c.execute(
        """with apps as (delete from totps where account_id = $1),
               begun as (delete from totp_enrolments where account_id = $1),
               codes as (delete from recovery_codes where account_id = $1)
           delete from passkeys where account_id = $1""",
        account_id,
    )


async def spend(c: Connection, challenge_hash: bytes, *, expires_ms: int, now_ms: int) -> bool:
    """Spend a challenge; False when it was spent before. Those that expired are forgotten."""
    await c.execute(
        """delete from spent_challenges where hash in
               (select hash from spent_challenges where expires_at <= $1
                limit $2 for update skip locked)""",
        utc(now_ms),
        _FORGOTTEN,
    )
    return await _did(
        c,
        """insert into spent_challenges (hash, expires_at) values ($1, $2)
           on conflict do nothing returning true""",
        challenge_hash,
        utc(expires_ms),
    )


async def try_ticket(c: Connection, ticket_hash: bytes, *, now_ms: int) -> bool:
    """Count a try of a ticket; False when it has had all its tries."""
    await c.execute(
        """delete from ticket_tries where ticket_hash in
               (select ticket_hash from ticket_tries where begun_at <= $1
                limit $2 for update skip locked)""",
        utc(now_ms - TICKET_KEPT_MS),
        _FORGOTTEN,
    )
    return await _did(
        c,
        """insert into ticket_tries as had (ticket_hash, tries, begun_at) values ($1, 1, $2)
           on conflict (ticket_hash) do update set tries = had.tries + 1 where had.tries < $3
           returning true""",
        ticket_hash,
        utc(now_ms),
        TICKET_TRIES_MAX,
    )


async def factor_key(c: Connection, name: str, *, sealed: bytes) -> bytes:
    """Return the sealed key of this name; the given one takes the place when there is none."""
    await c.execute(
        "insert into factor_keys (name, sealed) values ($1, $2) on conflict do nothing",
        name,
        sealed,
    )
    kept: bytes = await c.fetchval("select sealed from factor_keys where name = $1", name)
    return kept


async def _did(c: Connection, statement: str, *args: object) -> bool:
    return await c.fetchval(statement, *args) is True


def _passkey(row: Any) -> Passkey:  # noqa: ANN401 - a row
    return Passkey(
        id=row["id"],
        account_id=row["account_id"],
        credential_id=row["credential_id"],
        public_key=row["public_key"],
        sign_count=row["sign_count"],
        name=row["name"],
        backed_up=row["backed_up"],
        added_ms=unix_ms(row["added_at"]),
        used_ms=row["used_at"] and unix_ms(row["used_at"]),
    )
