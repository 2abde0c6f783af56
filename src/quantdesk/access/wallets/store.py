"""The SQL of signing in with a wallet: nonces, and which wallets are whose."""

from typing import Any, Final
from uuid import UUID

from quantdesk.access.wallets.model import ChainName, Challenge, Purpose, Site, Wallet
from quantdesk.core.clock import unix_ms, utc
from quantdesk.store.pool import Connection

_SWEPT_AT_ONCE: Final = 5_000


async def sweep(c: Connection, *, before_ms: int, kept_max: int) -> None:
    """Forget some nonces that expired before then, and some of the oldest beyond so many."""
    await c.execute(
        """delete from wallet_nonces where hash in (
               select hash from wallet_nonces where expires_at < $1
               order by expires_at limit $2 for update skip locked)""",
        utc(before_ms),
        _SWEPT_AT_ONCE,
    )
    await c.execute(
        """delete from wallet_nonces where hash in (
               select hash from wallet_nonces order by expires_at desc offset $1 limit $2)""",
        kept_max,
        _SWEPT_AT_ONCE,
    )


async def open_nonces(c: Connection, *, network: str, now_ms: int) -> int:
    """Return how many nonces a network holds that are neither used nor expired."""
    count: int = await c.fetchval(
        """select count(*) from wallet_nonces
           where used_at is null and network = $1 and expires_at > $2""",
        network,
        utc(now_ms),
    )
    return count


async def add_nonce(c: Connection, challenge: Challenge, *, hashed: bytes, network: str) -> None:
    """Insert a nonce."""
    await c.execute(
        """insert into wallet_nonces (hash, chain, address, chain_id, purpose, domain, uri,
               network, browser, issued_at, expires_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)""",
        hashed,
        challenge.chain,
        challenge.address,
        challenge.chain_id,
        challenge.purpose,
        challenge.site.domain,
        challenge.site.uri,
        network,
        challenge.browser,
        utc(challenge.issued_ms),
        utc(challenge.expires_ms),
    )


async def spend(c: Connection, hashed: bytes, *, now_ms: int) -> Challenge | None:
    """Use a nonce up and return its challenge; None when there is none that is unused.

    Of several at once, one gets it: the others wait for its row and find it used.
    """
    row = await c.fetchrow(
        """update wallet_nonces set used_at = $2 where hash = $1 and used_at is null
           returning *""",
        hashed,
        utc(now_ms),
    )
    return row and _challenge(row)


async def spent(c: Connection, hashed: bytes) -> Challenge | None:
    """Return the challenge of a nonce that is still remembered, used or not."""
    row = await c.fetchrow("select * from wallet_nonces where hash = $1", hashed)
    return row and _challenge(row)


async def hold_wallet(c: Connection, *, chain: ChainName, address: str) -> None:
    """Keep others from giving this wallet to an account until this transaction ends."""
    await c.execute(
        "select pg_advisory_xact_lock(hashtextextended($1, 0))", f"wallet:{chain}:{address}"
    )


async def hold_account(c: Connection, account_id: UUID) -> None:
    """Keep others from changing which wallets an account has until this transaction ends."""
    await c.execute("select id from accounts where id = $1 for update", account_id)


async def wallets(c: Connection, account_id: UUID) -> list[Wallet]:
    """Return the wallets of an account, oldest first."""
    rows = await c.fetch(
        """select chain, address, added_at from wallets where account_id = $1
           order by added_at, chain, address""",
        account_id,
    )
    return [
        Wallet(
            chain=ChainName(row["chain"]),
            address=row["address"],
            added_ms=unix_ms(row["added_at"]),
        )
        for row in rows
    ]


async def unlink_wallet(c: Connection, account_id: UUID, *, chain: ChainName, address: str) -> bool:
    """Take a wallet from its account; return whether it had it."""
    done = await c.execute(
        "delete from wallets where (account_id, chain, address) = ($1, $2, $3)",
        account_id,
        chain,
        address,
    )
    return done == "DELETE 1"


def _challenge(row: Any) -> Challenge:  # noqa: ANN401 - a row
    return Challenge(
        chain=ChainName(row["chain"]),
        address=row["address"],
        chain_id=row["chain_id"],
        purpose=Purpose(row["purpose"]),
        site=Site(row["domain"], row["uri"]),
        issued_ms=unix_ms(row["issued_at"]),
        expires_ms=unix_ms(row["expires_at"]),
        browser=row["browser"],
        used_ms=row["used_at"] and unix_ms(row["used_at"]),
    )
