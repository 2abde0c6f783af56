"""What stands before every request of a desk: rates, blocks, and the watch over threats."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from fastapi import APIRouter

from quantdesk.access.acts import Act
from quantdesk.access.audit.store.counting import counted
from quantdesk.access.model import Origin, Principal
from quantdesk.access.threats.notices import Mailed, Slack, Webhook
from quantdesk.access.threats.report import DAY_MS, ActCount, Report, report
from quantdesk.access.threats.sightings import Sightings
from quantdesk.access.threats.threats import Notifier, Threats
from quantdesk.access.threats.trial import Trial
from quantdesk.access.threats.watch import Watch
from quantdesk.api.border import Border
from quantdesk.api.notices import NoticeRoutes
from quantdesk.api.security import Reports, SecurityRoutes
from quantdesk.app.background import Background
from quantdesk.app.mail import kept, open_post
from quantdesk.app.parts import Parts
from quantdesk.core.clock import Clock
from quantdesk.core.errors import DeskError, Refused
from quantdesk.settings import Settings

_QUIET: Final = frozenset({"request.unauthenticated", "request.not_found", "request.too_many"})
"""Refusals of whoever nobody is: scanners would fill the audit with them. They are counted."""


@dataclass(frozen=True, slots=True)
class Protecting:
    """The border of the edge, and the routes of whoever watches it."""

    border: Border
    routes: tuple[APIRouter, ...]


def open_protecting(background: Background, parts: Parts) -> Protecting:
    """Return what protects a desk, watching until the stack unwinds."""
    clock = parts.clock
    notifiers = _notifiers(parts.settings, parts.home, clock)
    threats = Threats(
        Watch(new_id=parts.new_id),
        pools=parts.pools,
        notifiers=notifiers,
        clock=clock,
        new_id=parts.new_id,
    )
    trial = Trial(notifiers, pools=parts.pools, clock=clock, new_id=parts.new_id)
    parts.auditing.on_acts(threats.hear)
    background.begin("threats", threats.run)
    sightings = Sightings(parts.auditing.tell, clock=clock, new_id=parts.new_id)

    def admit(
        principal: Principal | None, origin: Origin, method: str, path: str
    ) -> Sequence[tuple[bytes, bytes]]:
        threats.check(principal, origin)
        if principal is not None:
            sightings.see(principal, origin)
        return parts.limiting.admit(principal, origin, method, path)

    def refused(problem: DeskError, principal: Principal | None, origin: Origin, path: str) -> None:
        if principal is None and problem.code in _QUIET:
            return
        parts.auditing.tell(
            Act(
                id=parts.new_id(),
                at_ms=clock.now_ms(),
                action="request.refused",
                origin=origin,
                account_id=None if principal is None else principal.account_id,
                key_id=None if principal is None else principal.key_id,
                session_id=None if principal is None else principal.session_id,
                about=f"path:{path[:200]}",
                code=problem.code,
            )
        )

    origins = frozenset(parts.settings.api.cors_origins)
    border = Border(origins=origins, admit=admit, refused=refused)
    routes = SecurityRoutes(threats, reports=_reports(parts, threats)).routes()
    return Protecting(border, (routes, NoticeRoutes(trial).routes()))


def _reports(parts: Parts, threats: Threats) -> Reports:
    async def told(day: str | None) -> Report:
        now_ms = parts.clock.now_ms()
        from_ms = now_ms - now_ms % DAY_MS if day is None else _day_ms(day)
        async with parts.pools.read.connection() as c:
            found = await counted(c, from_ms=from_ms, to_ms=from_ms + DAY_MS)
        acts = [ActCount(*one) for one in found]
        named = f"{datetime.fromtimestamp(from_ms / 1000, tz=UTC):%Y-%m-%d}"
        return await report(
            parts.pools, day=named, from_ms=from_ms, acts=acts, blocks=len(threats.blocks())
        )

    return told


def _day_ms(day: str) -> int:
    try:
        return int(datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC).timestamp()) * 1000
    except ValueError:
        raise Refused(f"{day} is no day", code="request.malformed") from None


def _notifiers(settings: Settings, home: Path, clock: Clock) -> list[Notifier]:
    notices = settings.notices
    told: list[Notifier] = []
    if notices.email:
        post = open_post(settings.mail, home)
        told.append(Mailed(notices.email, post=post, kept=kept(settings.mail)))
    if notices.webhook_url:
        told.append(Webhook(notices.webhook_url, secret=notices.webhook_secret, clock=clock))
    if notices.slack_url:
        told.append(Slack(notices.slack_url))
    return told
