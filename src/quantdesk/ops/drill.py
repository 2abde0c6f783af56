"""The crash drill: a desk of its own is killed again and again in the middle of its work.

While orders keep coming in through the API, the desk's process dies by SIGKILL at seeded random
moments and is started again; its Postgres and its chain live on and are adopted. Whoever got no
answer asks again with the same idempotency key, as any client should. In the end the books are
audited (`ops/audit.py`): nothing may be there twice, and nothing may be missing.
"""

import asyncio
import itertools
import random
import signal
import statistics
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp
import msgspec

from quantdesk.core.clock import Clock
from quantdesk.core.errors import Corrupt, Unavailable
from quantdesk.engines.orders.model import OPEN
from quantdesk.ops import audit, folder
from quantdesk.ops.audit import Findings, Ledger
from quantdesk.ops.children import Child
from quantdesk.store.embedded import Embedded

LEASE_S: Final = 0.5
RECOVERY_S: Final = LEASE_S + 2.0
"""How long a restarted desk may take from being ready to having ended what it found."""

_LANES: Final = 4  # orders that are being placed at once
_PAUSE_S: Final = 0.1  # at most, between two orders of a lane
_WORK_S: Final = 0.8  # at most, from recovered to killed
_HASTE: Final = 0.25  # share of kills that do not wait until the desk has recovered
_STILLBORN: Final = 0.15  # share of kills followed by another while the desk is starting
_BIRTH_S: Final = 0.6
_START_S: Final = 60.0
_STOP_S: Final = 10.0
_END_S: Final = 60.0  # for the last orders to end; a lost one would take forever
_POLL_S: Final = 0.02
_ANSWER_S: Final = 5.0
_AMOUNTS: Final = {"SOL-USDC": "0.1", "BTC-USDC": "0.0005", "ETH-USDC": "0.01"}
_OK: Final = 200
_REFUSED: Final = range(400, 500)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a drill found; times in seconds."""

    runs: int
    orders: int
    findings: Findings
    starts_s: tuple[float, ...]
    """From each restart to being ready; shown, not judged: it is the machine's as much as ours."""
    recoveries_s: tuple[float, ...]
    """From being ready to having ended every order that was open at the kill."""

    @property
    def ok(self) -> bool:
        """Return whether nothing was doubled, lost, torn or late."""
        return self.findings.ok and all(took <= RECOVERY_S for took in self.recoveries_s)

    def table(self) -> tuple[tuple[str, str], ...]:
        """Return the findings as names and values, the verdict last."""
        found = self.findings
        took = self.recoveries_s
        no_chain = "not asked: paper has no chain" if found.fills is None else ""
        return (
            ("kills", str(self.runs)),
            ("orders accepted", str(self.orders)),
            ("confirmed", str(found.confirmed)),
            ("fills on the chain", no_chain or str(found.fills)),
            ("duplicates", str(found.duplicates)),
            ("lost", str(found.lost)),
            ("torn histories", str(found.torn)),
            ("balances off by", no_chain or found.balances_off or "0"),
            ("restart to ready", _spread(self.starts_s)),
            ("ready to recovered", f"{_spread(took)} (bound {RECOVERY_S:g} s)"),
            ("verdict", "passed" if self.ok else "FAILED"),
        )


def _spread(took: Sequence[float]) -> str:
    return f"p50 {statistics.median(took):.2f} s, max {max(took):.2f} s" if took else "-"


async def drill_kill(
    *, runs: int, seed: int, mode: str, home: Path, say: Callable[[str], None], clock: Clock
) -> Report:
    """Kill a desk in an empty `home` so many times at moments that `seed` draws, and audit it.

    Takes about two seconds per run. Everything started is stopped, whatever happens. Raises
    `Unavailable` (`drill.start`) when the desk does not come up, and `Corrupt` (`drill.refused`)
    when it refuses an order it should take.
    """
    chance = random.Random(seed)  # noqa: S311 - the same drill for the same seed
    async with AsyncExitStack() as stack:
        desk = await stack.enter_async_context(_desk(home, mode, clock))
        timeout = aiohttp.ClientTimeout(total=_ANSWER_S)
        session = await stack.enter_async_context(aiohttp.ClientSession(timeout=timeout))
        await desk.start()
        ledger = Ledger(desk=desk.told, key=folder.owner_key(home), session=session)
        opening = await ledger.balances()
        traders = _Traders(desk, session, chance, clock)
        trading = asyncio.gather(*(traders.lane() for _ in range(_LANES)))
        stack.push_async_callback(_end, trading)
        starts: list[float] = []
        recoveries: list[float] = []
        for run in range(1, runs + 1):
            await _unless(trading, clock.sleep(chance.uniform(0, _WORK_S)))
            open_then = set(traders.open)
            desk.kill()
            if chance.random() < _STILLBORN:
                desk.launch()
                await clock.sleep(chance.uniform(0, _BIRTH_S))
                desk.kill()
            starts.append(await desk.start())
            if chance.random() >= _HASTE or run == runs:
                recoveries.append(await _unless(trading, traders.recovered(open_then)))
            say(f"kill {run} of {runs}: {len(traders.accepted)} orders so far")
        traders.stopping = True
        await trading
        await traders.recovered(set(traders.open))
        ledger = Ledger(desk=desk.told, key=folder.owner_key(home), session=session)
        findings = await audit.audit(ledger, accepted=traders.accepted, opening=opening)
    return Report(
        runs=runs,
        orders=len(traders.accepted),
        findings=findings,
        starts_s=tuple(starts),
        recoveries_s=tuple(recoveries),
    )


async def _unless(trading: "asyncio.Future[Any]", work: Any) -> Any:  # noqa: ANN401
    """Return what comes of some work, unless trading fails meanwhile: then raise that."""
    doing = asyncio.ensure_future(work)
    await asyncio.wait({trading, doing}, return_when=asyncio.FIRST_COMPLETED)
    if trading.done():
        doing.cancel()
        trading.result()
    return await doing


async def _end(trading: "asyncio.Future[Any]") -> None:
    trading.cancel()
    with suppress(asyncio.CancelledError, Corrupt):
        await trading


class _Traders:
    """Clients that place orders, ask again when cut off, and remember what was promised them."""

    def __init__(
        self, desk: "_Desk", session: aiohttp.ClientSession, chance: random.Random, clock: Clock
    ) -> None:
        self.accepted: dict[str, str] = {}
        """The order that was promised for each idempotency key."""
        self.open: set[str] = set()
        self.stopping = False
        self._desk = desk
        self._session = session
        self._chance = chance
        self._clock = clock
        self._numbers = itertools.count(1)

    async def lane(self) -> None:
        """Place one order after the other until told to stop."""
        while not self.stopping:
            await self._place(f"drill-{next(self._numbers)}", self._body())
            await self._clock.sleep(self._chance.uniform(0, _PAUSE_S))

    async def recovered(self, orders: set[str]) -> float:
        """Return the seconds until each of these orders has ended."""
        began = self._clock.monotonic()
        waiting = set(orders)
        while waiting and self._clock.monotonic() - began < _END_S:
            ended = await asyncio.gather(*(self._has_ended(order_id) for order_id in waiting))
            waiting -= {order_id for order_id, has in zip(list(waiting), ended, strict=True) if has}
            self.open -= orders - waiting
            if waiting:
                await self._clock.sleep(_POLL_S)
        return self._clock.monotonic() - began

    def _body(self) -> bytes:
        pair = self._chance.choice(list(_AMOUNTS))
        direction = self._chance.choice(("BUY", "SELL"))
        return (
            f'{{"pair":"{pair}","amount":{_AMOUNTS[pair]},"direction":"{direction}"'
            ',"slippageBps":200}'
        ).encode()

    async def _place(self, key: str, body: bytes) -> None:
        while True:
            status, told = await self._ask("POST", "/api/orders", body, {"idempotency-key": key})
            if status // 100 == 2:  # noqa: PLR2004 - accepted now, or before
                self.accepted[key] = told["orderId"]
                self.open.add(told["orderId"])
                return
            if status in _REFUSED:
                raise Corrupt(f"an order was refused: {told}", code="drill.refused")
            await self._clock.sleep(_POLL_S)

    async def _has_ended(self, order_id: str) -> bool:
        status, told = await self._ask("GET", f"/api/orders/{order_id}")
        # One that is not there is lost, and will not come back: the audit says so.
        return status in _REFUSED or (status == _OK and told["status"] not in OPEN)

    async def _ask(
        self, method: str, path: str, body: bytes | None = None, more: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """Return status and answer; status 0 when the desk died before it answered."""
        await self._desk.alive.wait()
        headers = {"content-type": "application/json", **self._desk.authorization, **(more or {})}
        try:
            async with self._session.request(
                method, self._desk.url + path, data=body, headers=headers
            ) as answer:
                return answer.status, msgspec.json.decode(await answer.read())
        except (aiohttp.ClientError, TimeoutError, msgspec.MsgspecError):
            return 0, None


class _Desk:
    """The desk under drill: one process at a time, in one home."""

    def __init__(self, home: Path, mode: str, clock: Clock) -> None:
        self.alive = asyncio.Event()
        self.told: dict[str, Any] = {}
        self.authorization: dict[str, str] = {}
        self._home = home
        self._clock = clock
        self._log = home / "drill.log"
        self._process: subprocess.Popen[bytes] | None = None
        flags = ("--set", f"orders.lease_s={LEASE_S}", "--set", "paper.latency_ms=100")
        chosen = ("--home", str(home), "--port", "0", "--mode", mode, "--source", "simulated")
        self._command = [sys.executable, "-m", "quantdesk", "up", *chosen, *flags]

    @property
    def url(self) -> str:
        url: str = self.told["urls"]["api"]
        return url

    def launch(self) -> None:
        """Start it and return at once."""
        self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own module, no shell
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    async def start(self) -> float:
        """Start it and return, once it says that it is ready, the seconds that took."""
        began = self._clock.monotonic()
        self.launch()
        assert self._process is not None
        deadline = began + _START_S
        while not await self._is_ready():
            if self._process.poll() is not None or self._clock.monotonic() > deadline:
                raise Unavailable(f"the desk did not start: see {self._log}", code="drill.start")
            await self._clock.sleep(_POLL_S)
        self.alive.set()
        return self._clock.monotonic() - began

    def kill(self) -> None:
        """End it as a crash does: at once, with nothing put away."""
        assert self._process is not None
        self.alive.clear()
        self._process.kill()
        self._process.wait()

    async def put_away(self) -> None:
        """End it politely, and whatever of it still runs."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            deadline = self._clock.monotonic() + _STOP_S
            while self._process.poll() is None and self._clock.monotonic() < deadline:
                await self._clock.sleep(_POLL_S)
            self.kill()
        await Embedded(self._home).stop()
        place = self._home / "localnet.json"
        left = Child(module="quantdesk.localnet", args=(), place=place, log=self._log)
        await left.stop(clock=self._clock, within_s=_STOP_S)

    async def _is_ready(self) -> bool:
        assert self._process is not None
        with suppress(Unavailable):
            told = folder.running(self._home)
            if told["pid"] == self._process.pid:
                self.told = told
                self.authorization = {"authorization": f"Bearer {folder.owner_key(self._home)}"}
                return await _answers(f"{self.url}/readyz")
        return False


async def _answers(url: str) -> bool:
    timeout = aiohttp.ClientTimeout(total=_ANSWER_S)
    with suppress(aiohttp.ClientError, TimeoutError):
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as answer:
            return answer.status == _OK
    return False


@asynccontextmanager
async def _desk(home: Path, mode: str, clock: Clock) -> AsyncIterator[_Desk]:
    desk = _Desk(home, mode, clock)
    try:
        yield desk
    finally:
        await desk.put_away()


__all__: Sequence[str] = ("LEASE_S", "RECOVERY_S", "Report", "drill_kill")
