"""Accounts read again now and then: a subscription can die while its socket lives.

    what the node told · what a reading finds → states nobody told of, which are given on
    → still untold by the next reading → the node is not to be relied on: begin anew

So an account is never behind the chain for longer than two readings, whatever a node forgets to
tell. A state that has not changed for long is given again at its new slot, so that whoever counts
in slots, as fees of an epoch do, sees time pass in a quiet pool.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Final

import structlog

from quantdesk.chains.port import AccountState
from quantdesk.chains.solana.rpc import BEHIND
from quantdesk.core.clock import Clock
from quantdesk.core.errors import DeskError, Unavailable

_OLD_SLOTS: Final = 1_500  # ten minutes

_log = structlog.get_logger(__name__)

Read = Callable[[Sequence[str]], Awaitable[Sequence[AccountState]]]


class Rereads:
    """What one connection told, held against what the node reads every `every_s` seconds."""

    def __init__(self, read: Read, *, clock: Clock, every_s: float) -> None:
        self._read = read
        self._clock = clock
        self._every_s = every_s
        self._due_s = clock.monotonic() + every_s
        self._addresses: Collection[str] = ()
        self._known: dict[str, AccountState] = {}
        self._untold: set[str] = set()
        self._reading: asyncio.Future[Sequence[AccountState]] | None = None

    def follow(self, addresses: Collection[str]) -> None:
        """Read these from now on; what was known of others is forgotten."""
        self._addresses = addresses
        self._known = {one: self._known[one] for one in addresses if one in self._known}
        self._untold.intersection_update(addresses)

    def told(self, state: AccountState) -> None:
        """Take note of what the node told."""
        self._untold.discard(state.address)
        self._known[state.address] = state

    def found(self) -> list[AccountState]:
        """Return what a reading found that was not told; begin one when it is time. Never waits.

        Raises `Unavailable`: `accounts.untold` when the node has not told either what the reading
        before found, `rpc.behind` when the node says so.
        """
        if self._reading is None:
            if self._clock.monotonic() >= self._due_s:
                self._reading = asyncio.ensure_future(self._read(sorted(self._addresses)))
            return []
        if not self._reading.done():
            return []
        reading, self._reading = self._reading, None
        self._due_s = self._clock.monotonic() + self._every_s
        try:
            states = reading.result()
        except DeskError as problem:
            if problem.code == BEHIND:
                raise
            _log.info("accounts.not_reread", code=problem.code)
            return []
        return self._compared(states)

    def close(self) -> None:
        """Read no more."""
        if self._reading is not None:
            self._reading.cancel()
            self._reading.add_done_callback(lambda done: done.cancelled() or done.exception())

    def _compared(self, states: Sequence[AccountState]) -> list[AccountState]:
        newer = [
            state
            for state in states
            if state.address in self._addresses and state.slot >= self._slot(state.address)
        ]
        changed = [state for state in newer if self._differs(state)]
        quiet = [
            state
            for state in newer
            if not self._differs(state) and state.slot - self._slot(state.address) >= _OLD_SLOTS
        ]
        if self._untold:
            raise Unavailable(
                f"the node no longer tells of {len(self._untold)} accounts", code="accounts.untold"
            )
        self._untold = {state.address for state in changed}
        self._known |= {state.address: state for state in (*changed, *quiet)}
        return [*changed, *quiet]

    def _slot(self, address: str) -> int:
        known = self._known.get(address)
        return known.slot if known else 0

    def _differs(self, state: AccountState) -> bool:
        known = self._known.get(state.address)
        return known is None or (known.data, known.owner) != (state.data, state.owner)
