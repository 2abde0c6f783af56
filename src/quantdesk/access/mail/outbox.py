"""The outbox: what is to be mailed is committed with what it is about, and sent soon after.

    queue(c, …) ─ commit ─▶ letters ─ claim, for a lease ─▶ write ─▶ post ─▶ done
                               ▲                                       │ not now
                               └────────── later, longer each time ────┘

A crash loses nothing and sends twice at most what was accepted just before it. Several processes
may send from one table. The text is written when it is sent, so no table holds a secret link.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Final

import structlog

from quantdesk.access.mail import store
from quantdesk.access.mail.model import Errand, Letter, Outcome
from quantdesk.access.mail.port import Post
from quantdesk.core.backoff import Chance, full_jitter_s
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Refused, Unavailable
from quantdesk.core.ids import NewId
from quantdesk.store.pool import Connection, Pools

log = structlog.get_logger()

Write = Callable[[Errand], Awaitable[Letter | None]]
"""Writes the letter of an errand; None when there is nobody, or nothing any more, to write to."""

WAITING_MAX: Final = 10_000
"""Errands that wait before the desk says that it can take no more."""
PER_ADDRESS_MAX: Final = 5
"""Letters of a kind that an address gets in an hour, whoever asks for them."""
POLL_S: Final = 5.0
"""Between looks at what other processes queued, or what became due again."""
RETRY_S: Final = 10.0
RETRY_S_MAX: Final = 900.0
LEASE_MS: Final = 120_000
"""Longer than any post takes; after it whoever took an errand up is thought dead."""
_HOUR_MS: Final = 3_600_000
_KEEP_MS: Final = 7 * 24 * _HOUR_MS
_FORGET_MAX: Final = 1_000


class Outbox:
    """Queues letters in a transaction and sends them outside of it."""

    def __init__(
        self,
        pools: Pools,
        *,
        post: Post,
        writers: Mapping[str, Write],
        clock: Clock,
        new_id: NewId,
        chance: Chance,
    ) -> None:
        self._pools = pools
        self._post = post
        self._writers = writers
        self._clock = clock
        self._new_id = new_id
        self._chance = chance
        self._nudged = asyncio.Event()

    async def queue(self, c: Connection, kind: str, *, recipient: str, lasts_ms: int) -> None:
        """Queue a letter in this transaction; call `nudge` once it is committed.

        An address that had too many of this kind gets no more for a while, silently: whoever asks
        must not learn of it. Raises `Unavailable` (`mail.full`).
        """
        if await store.waiting(c, up_to=WAITING_MAX) >= WAITING_MAX:
            raise Unavailable("too much mail waits to be sent; try later", code="mail.full")
        now_ms = self._clock.now_ms()
        errand = Errand(
            id=self._new_id(),
            kind=kind,
            recipient=recipient,
            made_ms=now_ms,
            expires_ms=now_ms + lasts_ms,
        )
        await store.put(c, errand, since_ms=now_ms - _HOUR_MS, at_most=PER_ADDRESS_MAX)

    def nudge(self) -> None:
        """Have a look now: something was queued."""
        self._nudged.set()

    async def run(self) -> None:
        """Send what is due for as long as this runs."""
        while True:
            self._nudged.clear()
            while await self.send_next():
                pass
            await self._forget()
            await self._rest()

    async def send_next(self) -> bool:
        """Take up the errand that is due the longest, if there is one; return whether there was."""
        async with self._pools.write.connection() as c:
            errand = await store.claim(
                c, kinds=self._writers, now_ms=self._clock.now_ms(), lease_ms=LEASE_MS
            )
        if errand is None:
            return False
        try:
            outcome = await self._deliver(errand)
        except Unavailable as problem:
            await self._postpone(errand, problem)
            return True
        async with self._pools.write.connection() as c:
            await store.finish(c, errand, outcome, now_ms=self._clock.now_ms())
        log.info("mail.done", letter=str(errand.id), kind=errand.kind, outcome=outcome.value)
        return True

    async def _deliver(self, errand: Errand) -> Outcome:
        if errand.expires_ms <= self._clock.now_ms():
            return Outcome.EXPIRED
        letter = await self._writers[errand.kind](errand)
        if letter is None:
            return Outcome.NEEDLESS
        try:
            await self._post.send(letter)
        except Refused as problem:
            log.warning("mail.rejected", letter=str(errand.id), detail=problem.detail)
            return Outcome.REJECTED
        return Outcome.SENT

    async def _postpone(self, errand: Errand, problem: Unavailable) -> None:
        wait_s = full_jitter_s(
            errand.tries, chance=self._chance, first_s=RETRY_S, longest_s=RETRY_S_MAX
        )
        log.warning(
            "mail.postponed",
            letter=str(errand.id),
            tries=errand.tries,
            seconds=round(wait_s, 1),
            detail=problem.detail,
        )
        async with self._pools.write.connection() as c:
            await store.postpone(c, errand, due_ms=self._clock.now_ms() + round(wait_s * 1000))

    async def _forget(self) -> None:
        async with self._pools.write.connection() as c:
            before_ms = self._clock.now_ms() - _KEEP_MS
            await store.forget(c, before_ms=before_ms, at_most=_FORGET_MAX)

    async def _rest(self) -> None:
        """Return when there may be something to send."""
        waits = [
            asyncio.ensure_future(self._nudged.wait()),
            asyncio.ensure_future(self._clock.sleep(POLL_S)),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
                with suppress(asyncio.CancelledError):
                    await wait
