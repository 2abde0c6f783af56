"""Preferences: one JSON object of each user, as their client wrote it.

The desk keeps it and never looks inside: what is in it is the page's business, and nothing of it
decides anything here.
"""

from typing import Any, Final
from uuid import UUID

import msgspec

from quantdesk.access.preferences import store
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Refused
from quantdesk.store.pool import Pools

BYTES_MAX: Final = 16 * 1024
DEPTH_MAX: Final = 16
_NOTHING: Final = "{}"


class Preferences:
    """What users keep of how they set up the terminal."""

    def __init__(self, *, pools: Pools, clock: Clock) -> None:
        self._pools = pools
        self._clock = clock
        self.kept = 0
        """How often one was kept by this process."""

    async def read(self, account_id: UUID) -> str:
        """Return a user's document, an empty object before the first; raise `Unavailable`."""
        async with self._pools.read.connection() as c:
            return await store.read(c, account_id) or _NOTHING

    async def keep(self, account_id: UUID, document: bytes) -> str:
        """Keep a document in place of the one before, and return it.

        Raises `Refused` as `checked`, `Unavailable` without the database.
        """
        text = checked(document)
        async with self._pools.write.connection() as c:
            await store.write(c, account_id, text, at_ms=self._clock.now_ms())
        self.kept += 1
        return text


def checked(document: bytes) -> str:
    """Return a document that may be kept.

    Raises `Refused`: `request.too_large` past 16 KiB, `request.malformed` where it is not a JSON
    object, or nested deeper than 16.
    """
    if len(document) > BYTES_MAX:
        raise Refused(f"settings hold at most {BYTES_MAX} bytes", code="request.too_large")
    try:
        found: dict[str, Any] = msgspec.json.decode(document, type=dict[str, Any])
        text = document.decode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refused("settings are one JSON object", code="request.malformed") from None
    if not _is_shallow(found):
        raise Refused(f"settings are nested deeper than {DEPTH_MAX}", code="request.malformed")
    return text


def _is_shallow(document: dict[str, Any]) -> bool:
    level: list[Any] = [document]
    for _ in range(DEPTH_MAX):
        level = [below for each in level for below in _below(each)]
        if not level:
            return True
    return False


def _below(value: object) -> list[Any]:
    if isinstance(value, dict):
        return [each for each in value.values() if isinstance(each, dict | list)]
    assert isinstance(value, list), "only what holds something is looked into"
    return [each for each in value if isinstance(each, dict | list)]
