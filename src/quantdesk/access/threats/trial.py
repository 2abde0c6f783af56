"""The notifiers tried on purpose: one test notice to each at once, told how it went there and then.

    trader ─▶ Trial ─ noted in the audit ─▶ every notifier at once ─▶ an outcome of each

A notice of an event is tried again for a while; a test is not: who asks wants to know now. It is no
security event either: nothing happened, so nothing is stored beside the act.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec
import structlog

from quantdesk.access.acts import Act
from quantdesk.access.audit import store as audit
from quantdesk.access.model import Origin, Principal
from quantdesk.access.threats.model import SecurityEvent, Severity
from quantdesk.access.threats.threats import Notifier
from quantdesk.core.clock import Clock
from quantdesk.core.errors import DeskError, Refused
from quantdesk.core.ids import NewId
from quantdesk.store.pool import Pools

log = structlog.get_logger()

KIND: Final = "test"
"""The kind of a test notice; no rule has it."""
_SAID: Final = "THIS IS A TEST: somebody of the desk asked for it, and nothing happened"


class Way(msgspec.Struct, frozen=True):
    """A way of being told: `to` tells no secret; `kept` as of `Notifier`."""

    name: str
    to: str
    kept: str = ""


class Outcome(msgspec.Struct, frozen=True):
    """What became of the test notice on a way; `code` and `detail` are empty when it arrived."""

    way: Way
    code: str = ""
    detail: str = ""


LOG: Final = Way("log", "the desk's own log")
"""The way that is always there."""


class Trial:
    """Sends test notices, one after another."""

    def __init__(
        self, notifiers: Sequence[Notifier], *, pools: Pools, clock: Clock, new_id: NewId
    ) -> None:
        self._notifiers = tuple(notifiers)
        self._pools = pools
        self._clock = clock
        self._new_id = new_id
        self._is_running = False

    def ways(self) -> list[Way]:
        """Return the ways that are set, the log first."""
        return [LOG, *map(_way, self._notifiers)]

    async def send(self, caller: Principal, origin: Origin) -> list[Outcome]:
        """Send a test notice every way at once; return what became of it, in the order of `ways`.

        Takes as long as the slowest notifier's own bound. Raises `Refused` (`notice.testing`)
        while another one is sent, and `Unavailable` when the act cannot be noted.
        """
        if self._is_running:
            raise Refused(
                "a test notice is being sent already: wait for its outcome", code="notice.testing"
            )
        self._is_running = True
        try:
            notice = self._notice(caller)
            # What cannot be noted is not done.
            await self._note(notice, caller, origin)
            log.warning("security.test_notice", id=str(notice.id), detail=notice.detail)
            sent = (_sent(notifier, notice) for notifier in self._notifiers)
            return [Outcome(LOG), *await asyncio.gather(*sent)]
        finally:
            self._is_running = False

    def _notice(self, caller: Principal) -> SecurityEvent:
        now_ms = self._clock.now_ms()
        return SecurityEvent(
            id=self._new_id(),
            at_ms=now_ms,
            kind=KIND,
            severity=Severity.NOTICE,
            subject="desk",
            count=1,
            since_ms=now_ms,
            detail=_SAID,
            account_id=caller.account_id,
        )

    async def _note(self, notice: SecurityEvent, caller: Principal, origin: Origin) -> None:
        act = Act(
            id=self._new_id(),
            at_ms=notice.at_ms,
            action="notice.tested",
            origin=origin,
            about=f"notice:{notice.id}",
            after={"ways": [way.name for way in self.ways()]},
        ).by(caller)
        async with self._pools.write.transaction() as c:
            await audit.note(c, act)


async def _sent(notifier: Notifier, notice: SecurityEvent) -> Outcome:
    way = _way(notifier)
    try:
        await notifier.notify(notice)
    except DeskError as problem:
        log.warning(
            "security.not_notified", notifier=way.name, code=problem.code, detail=problem.detail
        )
        return Outcome(way, problem.code, problem.detail)
    if way.kept:
        return Outcome(way, "notice.kept", way.kept)
    return Outcome(way)


def _way(notifier: Notifier) -> Way:
    return Way(notifier.name, notifier.to, notifier.kept)
