"""The default post: letters stay on this machine, one .eml file each, for whoever runs the desk.

    <home>/mail/<letter id>.eml    mode 0600, in a folder of mode 0700; the newest ones are kept

The log says where a letter is, and nothing of what is in it.
"""

import asyncio
import os
from pathlib import Path
from typing import Final

import structlog

from quantdesk.access.mail.composed import composed
from quantdesk.access.mail.model import Letter
from quantdesk.core.errors import Unavailable

log = structlog.get_logger()

KEPT_MAX: Final = 1_000
_SENDER: Final = "desk@localhost"


class FolderPost:
    """Keeps letters in a folder."""

    def __init__(self, folder: Path, *, kept_max: int = KEPT_MAX) -> None:
        self._folder = folder
        self._kept_max = kept_max

    async def send(self, letter: Letter) -> None:
        """Write the letter to its file; raise `Unavailable` (`mail.unavailable`)."""
        message = composed(letter, sender=_SENDER)
        path = self._folder / f"{letter.id}.eml"
        try:
            await asyncio.to_thread(self._keep, path, message)
        except OSError as problem:
            detail = f"{self._folder} takes no letter: {problem.strerror}"
            raise Unavailable(detail, code="mail.unavailable") from problem
        log.info("mail.kept", path=str(path))

    def _keep(self, path: Path, message: bytes) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(message)
        fresh.replace(path)
        # Identifiers sort by the time they were made.
        for old in sorted(self._folder.glob("*.eml"))[: -self._kept_max]:
            old.unlink(missing_ok=True)
