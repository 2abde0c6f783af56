"""Port to whoever slows down those who guess: tries are counted by account and network.

A try counts from before the secret is looked at until it turns out right, so that guesses sent all
at once are counted one by one. A lock holds for the network that failed, so that nobody can lock an
owner out from elsewhere.
"""

from typing import Protocol


class Throttle(Protocol):
    """Counts tries to prove oneself; `who` is a key such as `email:anna@example.com`.

    The key is one of what was typed, whether there is such an account or not; `ip` is where from.
    """

    async def check(self, who: str, ip: str) -> None:
        """Count a try; raise `Refused` (`sign_in.throttled`) while they are locked."""

    async def failed(self, who: str, ip: str) -> object:
        """Let a checked try stay counted."""

    async def succeeded(self, who: str, ip: str) -> None:
        """Forget the tries: it was the owner."""
