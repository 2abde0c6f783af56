"""Pools that rest: those whose trades fail in simulation though they quote well. Pure.

    quoted best → fails when tried → quoted best again → …

Without it one pool that its program does not trade with as this desk believes would keep its whole
pair from being traded: a switch or a rule that nobody here knows, or a program of a newer version.
A pool that says why it cannot be traded rests at once, one that may only have moved the second time
in a row. What rests comes back by itself, and later each time, until a trade with it is signed.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import structlog

from quantdesk.venues.port import Pool

REST_MS: Final = 30_000
REST_MS_MAX: Final = 3_600_000

_AT_ONCE: Final = frozenset({"simulation.failed", "pool.gone"})
_IN_A_ROW: Final = frozenset(
    {"slippage.exceeded", "quote.deviates", "pool.moved", "compute.exceeded"}
)
_STRIKES: Final = 2
_KNOWN_MAX: Final = 1_000

log = structlog.get_logger()


class _Record(NamedTuple):
    strikes: int = 0
    rests: int = 0
    until_ms: int = 0


class Bench:
    """Which pools rest now; the longest known are forgotten where there are very many."""

    def __init__(self) -> None:
        self._known: dict[str, _Record] = {}

    def failed(self, pool: Pool, code: str, *, now_ms: int) -> None:
        """Take note of a trade with a pool that failed: it may rest from now on."""
        if code not in _AT_ONCE | _IN_A_ROW:
            return
        address = pool.about.address
        record = self._known.pop(address, _Record())
        strikes = record.strikes + (1 if code in _IN_A_ROW else _STRIKES)
        if strikes >= _STRIKES:
            rest_ms = min(REST_MS << record.rests, REST_MS_MAX)
            record = _Record(0, min(record.rests + 1, REST_MS_MAX.bit_length()), now_ms + rest_ms)
            log.warning(
                "pool.rests", venue=pool.about.venue, kind=pool.about.kind, address=address,
                code=code, rest_s=rest_ms // 1_000,
            )  # fmt: skip
        else:
            record = record._replace(strikes=strikes)
        self._known[address] = record
        while len(self._known) > _KNOWN_MAX:
            del self._known[next(iter(self._known))]

    def held(self, pools: Iterable[Pool]) -> None:
        """Take note of a trade that was tried and is fine: nothing is held against its pools."""
        for pool in pools:
            self._known.pop(pool.about.address, None)

    def playing(self, pools: Sequence[Pool], *, now_ms: int) -> Sequence[Pool]:
        """Return the pools that do not rest, or all where none is left: better tried than none."""
        if not any(self._rests(pool, now_ms) for pool in pools):
            return pools
        return [pool for pool in pools if not self._rests(pool, now_ms)] or pools

    def resting(self, *, now_ms: int) -> list[str]:
        """Return the addresses of the pools that rest."""
        return [address for address, record in self._known.items() if now_ms < record.until_ms]

    def _rests(self, pool: Pool, now_ms: int) -> bool:
        record = self._known.get(pool.about.address)
        return record is not None and now_ms < record.until_ms
