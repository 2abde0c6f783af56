"""What the process that signs says of itself; times are the database's own, so clocks may differ.

One row per mode: whoever signs for the same wallet may write it, another wallet only once nobody
has spoken for the first one in a while.
"""

from collections.abc import Mapping
from uuid import UUID

from quantdesk.engines.orders.signing import Announced, Signing
from quantdesk.store.pool import Connection


async def announce(
    c: Connection, told: Signing, *, mode: str, worker: UUID, silent_s: float
) -> bool:
    """Write it; return False when another wallet was spoken for within the last `silent_s`."""
    row = await c.fetchrow(
        """insert into signing as s (mode, worker, wallet, rpc, ws, tables, balances, seen_at)
           values ($1, $2, $3, $4, $5, $6, $7, now())
           on conflict (mode) do update set worker = excluded.worker, wallet = excluded.wallet,
               rpc = excluded.rpc, ws = excluded.ws, tables = excluded.tables,
               balances = excluded.balances, seen_at = excluded.seen_at
           where s.wallet = excluded.wallet or s.worker = excluded.worker
              or s.seen_at < now() - make_interval(secs => $8)
           returning mode""",
        mode,
        worker,
        told.wallet,
        told.rpc,
        told.ws,
        list(told.tables),
        None if told.balances is None else dict(told.balances),
        silent_s,
    )
    return row is not None


async def leave(c: Connection, *, mode: str, worker: UUID) -> None:
    """Say that this worker speaks no more: another wallet need not wait."""
    await c.execute(
        "update signing set seen_at = '-infinity' where mode = $1 and worker = $2", mode, worker
    )


async def announced(c: Connection, *, mode: str) -> Announced | None:
    """Return what was announced last, and how long ago; None where no worker ever spoke."""
    row = await c.fetchrow(
        """select wallet, rpc, ws, tables, balances, case when isfinite(seen_at)
                  then extract(epoch from now() - seen_at)::float8 end as age_s
           from signing where mode = $1""",
        mode,
    )
    if row is None:
        return None
    balances: Mapping[str, int] | None = row["balances"]
    told = Signing(row["wallet"], row["rpc"], row["ws"], tuple(row["tables"]), balances)
    return Announced(told, row["age_s"])
