"""The master key at a start: there, whole, and the one that sealed what this desk holds.

A file that is missing is made only where nothing was sealed yet. Anything else is told with its
cure: a fresh key in the place of a lost one would hide that the secrets are gone.
"""

from collections.abc import Sequence
from pathlib import Path

from quantdesk.access.master import keyring, store
from quantdesk.access.master.columns import COLUMNS, Column
from quantdesk.access.master.rotation import SealedFile
from quantdesk.access.sealing import Sealer
from quantdesk.core.errors import Corrupt, Refused
from quantdesk.store.pool import Connection, Pools


async def open_master(
    path: Path, *, pools: Pools, files: Sequence[SealedFile], columns: Sequence[Column] = COLUMNS
) -> Sealer:
    """Return what seals and opens this desk's secrets; makes the file at a first start.

    Raises `Refused`: `master.missing` (secrets are sealed, their key is not there), `master.wrong`
    (it is another key), `key.mode`, `key.unreadable`.
    """
    async with pools.read.connection() as c:
        used = await _used(c, columns, files)
        keys = _keys(path, used)
        if absent := used - keys.keys():
            raise _missing(path, absent)
        sealer = Sealer(keys)
        await _check(c, sealer, path, columns, files)
    return sealer


def _keys(path: Path, used: set[int]) -> dict[int, bytes]:
    if path.exists() or path.is_symlink():
        return keyring.read(path)
    if used:
        raise _missing(path, used)
    return keyring.make(path)


async def _used(c: Connection, columns: Sequence[Column], files: Sequence[SealedFile]) -> set[int]:
    """Return the numbers of all master keys that sealed something."""
    found = {number for file in files if (number := file.number()) is not None}
    for column in columns:
        found |= (await store.numbers(c, column)).keys()
    return found


async def _check(
    c: Connection,
    sealer: Sealer,
    path: Path,
    columns: Sequence[Column],
    files: Sequence[SealedFile],
) -> None:
    """Unwrap one of each kind and key: another file may hold a key of the same number."""
    try:
        for file in files:
            file.check(sealer)
        for column in columns:
            for number in await store.numbers(c, column):
                row = await store.one(c, column, number=number)
                if row is not None:
                    sealer.rewrap(row[column.column], about=column.about_row(row))
    except Corrupt as problem:
        raise Refused(
            f"{path} is not the master key of this desk ({problem.detail}): put back the copy you"
            " keep of it, or name it with access.master_key_file; nothing was changed",
            code="master.wrong",
        ) from None


def _missing(path: Path, numbers: set[int]) -> Refused:
    told = ", ".join(str(number) for number in sorted(numbers))
    return Refused(
        f"{path} does not hold master key {told}, which sealed secrets of this desk: put back the"
        " copy you keep of it, or name it with access.master_key_file; no new key was made",
        code="master.missing",
    )
