"""Port to whoever carries letters away: an SMTP server, or a folder on this machine."""

from typing import Protocol

from quantdesk.access.mail.model import Letter


class Post(Protocol):
    """Carries letters."""

    async def send(self, letter: Letter) -> None:
        """Return once the letter is somebody else's to deliver.

        Raises `Unavailable` (`mail.unavailable`): try again; `Refused` (`mail.rejected`,
        `email.malformed`): never.
        """
