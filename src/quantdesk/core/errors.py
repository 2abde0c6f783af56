"""Errors: one root, three kinds, each saying what the caller may do next.

`Refused` breaks a rule and must not be retried; `Unavailable` is the world not answering and may be
retried; `Corrupt` is our own data breaking an invariant and must stop the work. The kind decides
retry, HTTP status and alarm; the code is stable and shown to users.
"""

from collections.abc import Mapping
from types import MappingProxyType


class DeskError(Exception):
    """Root of every anticipated failure."""

    default_code = "desk.error"
    retryable = False
    extension: Mapping[str, object] = MappingProxyType({})
    """More for the client to act on, beside the detail."""
    at: int | None = None
    """Which one it is about, by place, where several were given and it is known."""

    def __init__(self, detail: str, *, code: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or self.default_code


class Refused(DeskError):
    """The request breaks a rule: do not retry it unchanged."""

    default_code = "desk.refused"


class Unavailable(DeskError):
    """Something outside did not answer: retry with back-off."""

    default_code = "desk.unavailable"
    retryable = True


class Corrupt(DeskError):
    """Data breaks an invariant: stop this work and alert."""

    default_code = "desk.corrupt"
