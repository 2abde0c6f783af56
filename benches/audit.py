"""What verifying the audit takes: a chain of many rows, built by the keeper, read and hashed anew.

    python -m benches.audit [rows]

Promised: a million rows verified within 20 s. Rows are acts as the desk notes them, noted and
chained by the product's own code into a database that this bench starts and throws away.
"""

import asyncio
import sys
import tempfile
from pathlib import Path
from time import perf_counter, process_time

from quantdesk.access.acts import Act
from quantdesk.access.audit.keeper import ACTS_MAX, Keeper, Means, open_signer
from quantdesk.access.audit.store import noting
from quantdesk.access.audit.verify import verify
from quantdesk.access.model import Origin
from quantdesk.access.sealing import Sealer
from quantdesk.core.clock import SystemClock
from quantdesk.core.ids import ids
from quantdesk.store.embedded import Embedded
from quantdesk.store.migrate import migrate
from quantdesk.store.pool import Pools, connect

_ROWS = 1_000_000
_ROUNDS = 3
_PROMISED_S = 20.0


async def _build(pools: Pools, rows: int) -> None:
    clock = SystemClock()
    new_id = ids(clock.now_ms)
    signer = await open_signer(pools, Sealer({1: bytes(32)}), clock=clock, new_id=new_id)
    keeper = Keeper(Means(pools=pools, clock=clock, new_id=new_id, signer=signer))
    account = new_id()
    for first in range(0, rows, ACTS_MAX):
        acts = [
            Act(
                id=new_id(),
                at_ms=clock.now_ms(),
                action="limit.changed",
                origin=Origin(ip="127.0.0.1", request_id=f"bench-{first + number}"),
                account_id=account,
                about="limit:day_notional_usd_max",
                before={"value": str(first + number)},
                after={"value": str(first + number + 1)},
            )
            for number in range(min(ACTS_MAX, rows - first))
        ]
        async with pools.write.transaction() as c:
            await noting.note(c, *acts)
        await keeper.step()
    while await keeper.step():
        pass


async def _measure(pools: Pools, rows: int) -> float:
    began = perf_counter()
    await _build(pools, rows)
    print(f"noted and chained in {perf_counter() - began:.0f} s")
    slowest = 0.0
    for _ in range(_ROUNDS):
        began, spent = perf_counter(), process_time()
        verdict = await verify(pools)
        took = perf_counter() - began
        slowest = max(slowest, took)
        assert verdict.rows >= rows, "all were chained"
        print(
            f"{verdict.rows:,} rows verified in {took:.1f} s, {process_time() - spent:.1f} s of CPU"
            f" here ({verdict.rows / took:,.0f}/s)"
        )
    return slowest


async def _main(rows: int) -> int:
    with tempfile.TemporaryDirectory(prefix="qd-bench-") as folder:
        server = Embedded(Path(folder))
        url = await server.start()
        try:
            await migrate(url)
            async with await connect(url, write_max=4, read_max=4) as pools:
                slowest = await _measure(pools, rows)
        finally:
            await server.stop()
    return 0 if slowest <= _PROMISED_S * rows / _ROWS else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(_main(int(sys.argv[1]) if len(sys.argv) > 1 else _ROWS)))
