"""Watching transactions in flight until the chain says what became of them.

All of them are looked at together. Bytes that are not found are sent again, the very same, every
couple of seconds; only the chain's word ends the watch. Silence of the chain ends nothing: it is
reported once per outage and waited out.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import structlog

from quantdesk.chains.port import Chain, Fate, Sighting, Transaction
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Unavailable

log = structlog.get_logger()

RESEND_S = 2.0
SILENT_S = 5.0
_LOOK_MAX = 1_000  # transactions per look, so that one slow answer does not hold up all


@dataclass(slots=True)
class _Flight:
    transaction: Transaction
    on_silence: Callable[[], None]
    done: asyncio.Future[Sighting]
    sent_at: float
    told: bool = False

    @property
    def signature(self) -> str:
        return self.transaction.signature


class Watch:
    """The transactions in flight of one chain."""

    def __init__(self, *, chain: Chain, clock: Clock) -> None:
        self._chain = chain
        self._clock = clock
        self._flights: dict[UUID, _Flight] = {}
        self._arrived = asyncio.Event()
        self._answered_at = clock.monotonic()
        self.resends = 0
        self.silences = 0

    def follow(
        self, order_id: UUID, transaction: Transaction, *, on_silence: Callable[[], None]
    ) -> asyncio.Future[Sighting]:
        """Look for bytes that were just sent, and send them again until their fate is known.

        `on_silence` is called once per outage, when the chain has not answered for `SILENT_S`.
        """
        now = self._clock.monotonic()
        if not self._flights:
            self._answered_at = now
        done: asyncio.Future[Sighting] = asyncio.get_running_loop().create_future()
        self._flights[order_id] = _Flight(transaction, on_silence, done, sent_at=now)
        done.add_done_callback(lambda _: self._flights.pop(order_id, None))
        self._arrived.set()
        return done

    def __len__(self) -> int:
        return len(self._flights)

    async def run(self) -> None:
        """Look at everything in flight, once per poll, until cancelled."""
        while True:
            if not self._flights:
                self._arrived.clear()
                await self._arrived.wait()
            flights = list(self._flights.values())
            for start in range(0, len(flights), _LOOK_MAX):
                await self._look(flights[start : start + _LOOK_MAX])
            if self._flights:
                await self._clock.sleep(self._chain.poll_s)

    async def _look(self, flights: list[_Flight]) -> None:
        try:
            sightings = await self._chain.look([flight.transaction for flight in flights])
        except Unavailable as problem:
            self._silent(flights, problem)
            return
        self._answered_at = self._clock.monotonic()
        for flight, sighting in zip(flights, sightings, strict=True):
            flight.told = False
            if sighting.fate is not Fate.UNSEEN and not flight.done.done():
                flight.done.set_result(sighting)
        await self._resend([flight for flight in flights if not flight.done.done()])

    def _silent(self, flights: list[_Flight], problem: Unavailable) -> None:
        if self._clock.monotonic() - self._answered_at < SILENT_S:
            return
        for flight in flights:
            if not flight.told:
                flight.told = True
                self.silences += 1
                flight.on_silence()
                log.warning("chain.silent", code=problem.code, signature=flight.signature)

    async def _resend(self, flights: list[_Flight]) -> None:
        due = self._clock.monotonic() - RESEND_S
        for flight in flights:
            if flight.sent_at <= due:
                flight.sent_at = self._clock.monotonic()
                self.resends += 1
                try:
                    await self._chain.send(flight.transaction)
                except Unavailable as problem:
                    log.info("chain.resend_failed", code=problem.code, signature=flight.signature)
                    return  # the chain is not listening: the next look tries again
