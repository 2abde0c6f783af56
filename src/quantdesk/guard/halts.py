"""The kill switch as those see it who execute: what is halted now, without I/O.

`new` stops what is not signed yet: orders wait where they stand. `all` also cancels them. What is
signed and committed goes on to its end under both: its bytes may be on the chain already, and only
its receipt says what was traded.
"""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal
from uuid import UUID

import msgspec

Scope = Literal["new", "all"]


class Halt(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A stop of trading; `by` is None where the settings say so."""

    scope: Scope
    reason: str
    at_ms: int
    by: UUID | None = None


class Halts:
    """The halts of the desk and of single accounts."""

    def __init__(self) -> None:
        self.desk: Halt | None = None
        self.accounts: Mapping[UUID, Halt] = MappingProxyType({})
        self._change: asyncio.Event = asyncio.Event()

    def of(self, account_id: UUID) -> Halt | None:
        """Return what halts an account, the wider of two."""
        own = self.accounts.get(account_id) if self.accounts else None
        if own is None or (self.desk is not None and self.desk.scope == "all"):
            return self.desk
        return own if self.desk is None or own.scope == "all" else self.desk

    def set(self, desk: Halt | None, accounts: Mapping[UUID, Halt]) -> None:
        """Take over what is halted now, and wake whoever waits for a change."""
        if (desk, accounts) == (self.desk, self.accounts):
            return
        self.desk, self.accounts = desk, dict(accounts)
        woken, self._change = self._change, asyncio.Event()
        woken.set()

    async def changed(self) -> None:
        """Return once anything was halted or resumed."""
        await self._change.wait()
