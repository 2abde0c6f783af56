"""A new master key in the place of the old one.

    add a key ─▶ wrap every sealed secret under it ─▶ count that none is left ─▶ drop the old key

Each step can be the last of a process that is killed: the file then holds both keys, every secret
opens with one of them, a desk starts as ever, and the next rotation goes on where this one ended
instead of adding a third key. It wants the desks of this database stopped: one that runs would go
on sealing under the key that is dropped.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Protocol

import msgspec

from quantdesk.access.master import keyring, store
from quantdesk.access.master.columns import COLUMNS, Column
from quantdesk.access.sealing import Sealer
from quantdesk.core.errors import Corrupt, Refused
from quantdesk.store.pool import Pools

_BATCH: Final = 200
Say = Callable[[str], None]
"""Is told each step once it is done, one short line."""


class SealedFile(Protocol):
    """A file with a sealed secret, such as a wallet's key."""

    @property
    def path(self) -> Path:
        """Return where it is."""

    def number(self) -> int | None:
        """Return which master key opens it, None when it is not there or not sealed."""

    def check(self, sealer: Sealer) -> None:
        """Return if the sealer opens it; raise `Corrupt` (`secret.unreadable`)."""

    def rewrap(self, sealer: Sealer) -> None:
        """Put the same secret under the newest master key, in one step."""


class Rotated(msgspec.Struct, frozen=True, kw_only=True):
    """What a rotation did."""

    newest: int
    secrets: int
    resumed: bool


class Rotation:
    """One rotation of the master keys of a database and of files."""

    def __init__(
        self,
        path: Path,
        *,
        pools: Pools,
        files: Sequence[SealedFile],
        columns: Sequence[Column] = COLUMNS,
        say: Say,
    ) -> None:
        self._path = path
        self._pools = pools
        self._files = files
        self._columns = columns
        self._say = say

    async def run(self) -> Rotated:
        """Rotate, or finish a rotation that was cut short.

        Raises `Refused` (`master.in_use`, `key.*`) before anything changed, `Corrupt`
        (`secret.unreadable`) when a secret does not open: no key is dropped then.
        """
        await self._alone()
        keys = keyring.read(self._path)
        resumed = len(keys) > 1
        if not resumed:
            keys = keyring.add(self._path, keys)
        sealer = Sealer(keys)
        self._say(f"master key {sealer.newest} {'was' if resumed else 'is'} in {self._path}")
        secrets = sum([await self._columns_under(sealer, column) for column in self._columns])
        secrets += self._files_under(sealer)
        await self._alone()
        await self._none_left(sealer.newest)
        keyring.drop(self._path, keys)
        self._say("the old key is dropped")
        return Rotated(newest=sealer.newest, secrets=secrets, resumed=resumed)

    async def _columns_under(self, sealer: Sealer, column: Column) -> int:
        done = 0
        while rows := await self._batch(sealer, column):
            done += rows
            self._say(f"{column.table}: {done} secrets")
        return done

    async def _batch(self, sealer: Sealer, column: Column) -> int:
        async with self._pools.write.transaction() as c:
            rows = await store.behind(c, column, newest=sealer.newest, at_most=_BATCH)
            for row in rows:
                sealed = sealer.rewrap(row[column.column], about=column.about_row(row))
                await store.put(c, column, row, sealed)
        return len(rows)

    def _files_under(self, sealer: Sealer) -> int:
        done = 0
        for file in self._files:
            if file.number() not in {None, sealer.newest}:
                file.rewrap(sealer)
                done += 1
                self._say(file.path.name)
        return done

    async def _alone(self) -> None:
        async with self._pools.write.connection() as w, self._pools.read.connection() as r:
            own = {await store.process(w), await store.process(r)}
            others = await store.connected(w, but=own)
        if others:
            raise Refused(
                f"a desk is connected to this database ({others} connections):"
                " stop every desk that uses it, then rotate",
                code="master.in_use",
            )

    async def _none_left(self, newest: int) -> None:
        async with self._pools.read.connection() as c:
            for column in self._columns:
                if left := (await store.numbers(c, column)).keys() - {newest}:
                    raise Corrupt(
                        f"{column.table}.{column.column} still holds secrets of master keys"
                        f" {sorted(left)}: no key was dropped",
                        code="secret.unreadable",
                    )
