"""What it costs to know who is asking: microseconds per request, with many sessions and keys.

    python -m benches.access [sessions]

`edge` is the whole way of a hot request through the edge around an empty answer, so an upper bound
of what authentication adds; `first` is a token's first use, when its signature is verified.
"""

import asyncio
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter_ns

from quantdesk.access import store
from quantdesk.access.credentials import Credentials
from quantdesk.access.keys import Given, digest, new_key
from quantdesk.access.known.known import Known
from quantdesk.access.known.store import KnownKey
from quantdesk.access.model import Account, Origin, Permission, Role, SignedIn
from quantdesk.access.sealing import Sealer
from quantdesk.access.sessions.entrance import Entrance, NoFactors
from quantdesk.access.sessions.sessions import Sessions
from quantdesk.access.sessions.tickets import Tickets
from quantdesk.access.tokens.jwt import Tokens
from quantdesk.access.tokens.signing import SigningKeys
from quantdesk.api.edge import Edge, Hot, Reply, Request
from quantdesk.api.given import Headers, Peer
from quantdesk.api.pages import pages
from quantdesk.core.clock import SystemClock
from quantdesk.core.ids import ids
from quantdesk.store.embedded import Embedded
from quantdesk.store.migrate import migrate
from quantdesk.store.pool import Pools, connect
from quantdesk.telemetry.metrics import Metrics

_SESSIONS = 1_000
_ROUNDS = 20
_DAY_MS = 86_400_000


@dataclass
class _Ride:
    hot: Hot
    headers: Headers
    peer: Peer
    path: str = "/api/orders"


async def _measure(pools: Pools, sessions_wanted: int) -> None:
    clock = SystemClock()
    new_id = ids(clock.now_ms)
    signing = SigningKeys(
        pools=pools,
        sealer=Sealer({1: bytes(32)}),
        clock=clock,
        new_id=new_id,
        token_ms=_DAY_MS,
    )
    known = Known(pools=pools, clock=clock)
    await known.load()
    await signing.load()
    tokens = Tokens(signing, audience="bench", token_ms=_DAY_MS)
    tickets = Tickets(pools=pools, clock=clock)
    sessions = Sessions(
        pools=pools, known=known, tokens=tokens, lasts_ms=_DAY_MS, clock=clock, new_id=new_id
    )
    entrance = Entrance(
        pools=pools, sessions=sessions, tickets=tickets, factors=NoFactors(), known=known
    )
    callers = Credentials(known=known, tokens=tokens, tickets=tickets, clock=clock)
    accounts = [
        Account(id=new_id(), name=f"bench-{n}", role=Role.TRADER, created_ms=clock.now_ms())
        for n in range(sessions_wanted // 10)
    ]
    async with pools.write.transaction() as c:
        for account in accounts:
            await store.add_account(c, account)
    await known.load()
    opened: list[SignedIn] = []
    signing_in: list[float] = []
    for account in accounts * 10:
        began = perf_counter_ns()
        outcome = await entrance.begin(account, method="bench", origin=Origin(ip=""))
        signing_in.append((perf_counter_ns() - began) / 1e3)
        assert isinstance(outcome, SignedIn)
        opened.append(outcome)
    keys = [new_key() for _ in opened]
    known.directory.put_keys(
        KnownKey(
            id=new_id(),
            hash=digest(key),
            account_id=each.account.id,
            scopes=("orders:write",),
            allow_ips=("127.0.0.0/8",),
            expires_ms=None,
            local=False,
        )
        for key, each in zip(keys, opened, strict=True)
    )
    _say("sign-in, the whole of it", signing_in)
    bearers = [Given("127.0.0.1", f"Bearer {each.token}") for each in opened]
    _say("token, first", _times(callers.caller, bearers, 1))
    _say("token", _times(callers.caller, bearers, _ROUNDS))
    cookies = [Given("127.0.0.1", None, each.token) for each in opened]
    _say("cookie", _times(callers.caller, cookies, _ROUNDS))
    _say("key", _times(callers.caller, [Given("127.0.0.1", f"Bearer {k}") for k in keys], _ROUNDS))
    await _edge(callers, opened)


async def _edge(callers: Credentials, opened: list[SignedIn]) -> None:
    async def nothing(_: Request) -> Reply:
        return Reply(201, b"{}")

    async def socketless(*_: object) -> bool:
        return False

    hot = Hot(Permission.ORDERS_WRITE, nothing)
    metrics = Metrics()
    edge = Edge(
        keys=callers,
        hot={("POST", "/api/orders"): hot},
        socket=socketless,
        pages=pages([], version="1", metrics=metrics),
        metrics=metrics,
    )
    peer = Peer("127.0.0.1")
    by_token = [
        _Ride(hot, {b"authorization": f"Bearer {each.token}".encode()}, peer) for each in opened
    ]
    by_cookie = [
        _Ride(
            hot,
            {
                b"cookie": f"a=b; qd_csrf={each.csrf}; qd_session={each.token}".encode(),
                b"x-csrf-token": each.csrf.encode(),
                b"origin": b"http://desk",
                b"host": b"desk",
            },
            peer,
        )
        for each in opened
    ]
    for name, rides in (("edge, token", by_token), ("edge, cookie", by_cookie)):
        times = []
        for _ in range(_ROUNDS):
            for ride in rides:
                began = perf_counter_ns()
                reply = await edge.reply(ride, b"{}")
                times.append((perf_counter_ns() - began) / 1e3)
                assert reply.status == 201
        _say(name, times)


def _times(ask: Callable[[Given], object], asked: list[Given], rounds: int) -> list[float]:
    times = []
    for _ in range(rounds):
        for given in asked:
            began = perf_counter_ns()
            caller = ask(given)
            times.append((perf_counter_ns() - began) / 1e3)
            assert caller is not None
    return times


def _say(name: str, times: list[float]) -> None:
    p99 = statistics.quantiles(times, n=100)[98]
    print(f"{name:28} p50 {statistics.median(times):8.1f} us   p99 {p99:8.1f} us")


async def _main(sessions: int) -> None:
    with tempfile.TemporaryDirectory(prefix="qd-bench-") as folder:
        server = Embedded(Path(folder))
        url = await server.start()
        try:
            await migrate(url)
            async with await connect(url, write_max=4, read_max=4) as pools:
                await _measure(pools, sessions)
        finally:
            await server.stop()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]) if len(sys.argv) > 1 else _SESSIONS))
