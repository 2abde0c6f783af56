"""Threats in a desk: acts come in from the audit, events and blocks are stored, people are told.

    audit keeper ─ acts ─▶ Watch ─ events ─▶ Postgres ─▶ notices (log, webhook, Slack, mail)
                                      └─▶ blocks ─▶ every process within a second

The one process that keeps the audit hears every act once, in order. Blocks never keep out this
machine itself or whoever holds the owner's local key: a person at the desk is never locked out.
"""

from collections import deque
from collections.abc import Sequence
from typing import Final, Protocol

import structlog

from quantdesk.access.acts import Act
from quantdesk.access.audit import store as audit
from quantdesk.access.model import Origin, Principal
from quantdesk.access.networks import is_loopback, network
from quantdesk.access.threats import store
from quantdesk.access.threats.model import Block, SecurityEvent
from quantdesk.access.threats.watch import Watch
from quantdesk.core.clock import Clock
from quantdesk.core.errors import DeskError, Refused
from quantdesk.core.ids import NewId
from quantdesk.store.pool import Pools

log = structlog.get_logger()

TURN_S: Final = 1.0
WAITING_MAX: Final = 1_000
TRIES_MAX: Final = 10
_NOTICES: Final = 20
_NOTIFY_S: Final = 5.0


class Notifier(Protocol):
    """Port of whoever tells people of security events."""

    @property
    def name(self) -> str:
        """Return the short name that logs show."""

    @property
    def to(self) -> str:
        """Return where it tells people, without what of it is secret."""

    @property
    def kept(self) -> str:
        """Return why its notices stay on this machine, and the cure; empty where they leave."""

    async def notify(self, event: SecurityEvent) -> None:
        """Tell of an event; raise `Unavailable` when it could not be told."""


class Threats:
    """The watch joined with its store; `run` once in every process."""

    def __init__(
        self,
        watch: Watch,
        *,
        pools: Pools,
        notifiers: Sequence[Notifier],
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self._watch = watch
        self._pools = pools
        self._notifiers = tuple(notifiers)
        self._clock = clock
        self._new_id = new_id
        self._waiting: deque[SecurityEvent] = deque()
        self._blocks: dict[str, Block] = {}
        self.dropped = 0
        """Events that came faster than the database took them."""

    def hear(self, acts: Sequence[Act]) -> None:
        """Take acts in order, each once; returns at once."""
        for act in acts:
            for event in self._watch.take(act):
                log.warning(
                    "security.event", kind=event.kind, severity=event.severity,
                    subject=event.subject, count=event.count, detail=event.detail,
                )  # fmt: skip
                if len(self._waiting) < WAITING_MAX:
                    self._waiting.append(event)
                else:
                    self.dropped += 1

    def check(self, principal: Principal | None, origin: Origin) -> None:
        """Let a request pass; raise `Refused` (`request.blocked`) from a network kept out."""
        if (
            not self._blocks
            or (principal is not None and principal.local)
            or is_loopback(origin.ip)
        ):
            return
        block = self._blocks.get(network(origin.ip))
        if block is not None and block.until_ms > self._clock.now_ms():
            raise Refused(
                "too much from your network went wrong; try again later", code="request.blocked"
            )

    def blocks(self) -> list[Block]:
        """Return the blocks that stand."""
        now_ms = self._clock.now_ms()
        return [block for block in self._blocks.values() if block.until_ms > now_ms]

    async def lift(self, network: str, caller: Principal, origin: Origin) -> None:
        """Let a network in again; raise `Refused` (`block.unknown`)."""
        act = Act(
            id=self._new_id(),
            at_ms=self._clock.now_ms(),
            action="block.lifted",
            origin=origin,
            about=f"network:{network}",
        ).by(caller)
        async with self._pools.write.transaction() as c:
            if not await store.lift(c, network):
                raise Refused(f"{network} is not kept out", code="block.unknown")
            await audit.note(c, act)
        self._blocks.pop(network, None)

    async def events(self, wanted: store.Filter) -> list[SecurityEvent]:
        """Return events, the newest first."""
        async with self._pools.read.connection() as c:
            return await store.events(c, wanted)

    async def run(self) -> None:
        """Store what was found, learn of blocks, and send notices until cancelled."""
        notify_s = self._clock.monotonic()
        while True:
            try:
                await self._store()
                await self._learn()
                if self._clock.monotonic() >= notify_s:
                    notify_s = self._clock.monotonic() + _NOTIFY_S
                    await self._notify()
            except DeskError as problem:
                log.warning("security.waiting", code=problem.code, detail=problem.detail)
            await self._clock.sleep(TURN_S)

    async def _store(self) -> None:
        while self._waiting:
            async with self._pools.write.transaction() as c:
                await store.add(c, self._waiting[0])
            self._waiting.popleft()

    async def _learn(self) -> None:
        async with self._pools.read.connection() as c:
            standing = await store.blocks(c, now_ms=self._clock.now_ms())
        self._blocks = {block.network: block for block in standing}

    async def _notify(self) -> None:
        if not self._notifiers:
            return
        async with self._pools.read.connection() as c:
            due = await store.to_notify(c, tries_max=TRIES_MAX, limit=_NOTICES)
        for event in due:
            told = [await self._told(notifier, event) for notifier in self._notifiers]
            async with self._pools.write.connection() as c:
                if all(told):
                    await store.notified(c, event.id, at_ms=self._clock.now_ms())
                else:
                    await store.tried(c, event.id)

    async def _told(self, notifier: Notifier, event: SecurityEvent) -> bool:
        try:
            await notifier.notify(event)
        except DeskError as problem:
            log.warning(
                "security.not_notified", notifier=notifier.name, code=problem.code,
                detail=problem.detail,
            )  # fmt: skip
            return False
        return True
