"""Ports of the second factors: what other parts of access do for them.

`Means` is what they work with, `Outside` whom they call; both are put together in `app`.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from quantdesk.access.acts import Act, Tell
from quantdesk.access.factors.challenges import Challenges
from quantdesk.access.factors.model import Site, WalletSignature
from quantdesk.access.model import Origin, Principal
from quantdesk.access.sealing import Sealer
from quantdesk.core.clock import Clock
from quantdesk.core.ids import NewId
from quantdesk.store.pool import Connection, Pools


class Throttle(Protocol):
    """Slows down who tries again and again, by account and network; `who` is any stable key."""

    async def check(self, who: str, ip: str) -> None:
        """Count a try; raise (`sign_in.throttled`) while they are locked."""

    async def failed(self, who: str, ip: str) -> object:
        """Let a checked try stay counted."""

    async def succeeded(self, who: str, ip: str) -> None:
        """Forget the tries: it was its owner."""


class Fresh(Protocol):
    """Asks for a fresh proof of presence: `api.needs.fresh`."""

    def __call__(self, principal: Principal, now_ms: int, *, methods: Sequence[str]) -> None:
        """Raise `Refused` (`proof.needed`) unless the person has just proved to be there."""


async def _tells_nobody(_account_id: UUID, _what: str) -> None:
    return


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What every part of the second factors works with."""

    pools: Pools
    sealer: Sealer
    site: Site
    challenges: Challenges
    clock: Clock
    new_id: NewId


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """Whom the second factors call.

    `end_others` ends, in this transaction, all sessions of the caller's account but the caller's;
    `felt` makes it felt everywhere once that is committed. `proven` notes when the person behind a
    session proved to be there. `password_right`, `wallet_right` and `key_right` say whether a first
    factor is right for an account, or raise `Refused`; they spend what is single-use. `tell_user`
    queues a notice to an account's owner.
    """

    tell: Tell
    throttle: Throttle
    fresh: Fresh
    end_others: Callable[[Connection, Principal, Origin], Awaitable[object]]
    felt: Callable[[], Awaitable[object]]
    proven: Callable[[UUID, int], Awaitable[object]]
    password_right: Callable[[UUID, str, Origin], Awaitable[bool]]
    wallet_right: Callable[[UUID, WalletSignature, Origin], Awaitable[bool]]
    key_right: Callable[[UUID, str, Origin], Awaitable[bool]]
    tell_user: Callable[[UUID, str], Awaitable[object]] = _tells_nobody


def throttled(account_id: UUID) -> str:
    """Return the key an account's tries are counted under."""
    return f"factor:{account_id}"


def act_of(means: Means, principal: Principal, origin: Origin, action: str, about: str) -> Act:
    """Return what a caller did."""
    return Act(
        id=means.new_id(),
        at_ms=means.clock.now_ms(),
        action=action,
        origin=origin,
        about=about,
    ).by(principal)
