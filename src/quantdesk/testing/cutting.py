"""A process that is killed at its n-th touch of the disk, before or after it took effect.

For what `killing.py` has no ports for: files that are written, linked, renamed and removed, and
whatever else a test gives a knife to cut.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from unittest.mock import patch

_TOUCHES_MAX = 400


class Killed(BaseException):
    """Unwinds what a dead process was doing; no code of ours survives it."""


class Knife:
    """One life: inside `with`, touches are counted and one of them may be the last."""

    def __init__(self, at: int, *, after: bool) -> None:
        self._at = at
        self._after = after
        self._count = 0
        self._patches = ExitStack()
        self.struck = False

    def __enter__(self) -> Self:
        self._patches.enter_context(patch.object(os, "fsync", self.cut(os.fsync)))
        for name in ("replace", "hardlink_to", "unlink"):
            effect = self.cut(getattr(Path, name))
            self._patches.enter_context(patch.object(Path, name, effect))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        self._patches.close()
        return kind is Killed

    def cut(self, effect: Callable[..., Any]) -> Callable[..., Any]:
        """Return an effect that may be the last."""

        def touched(*args: Any, **named: Any) -> Any:  # noqa: ANN401 - of any effect
            self._count += 1
            if self.struck or (self._count == self._at and not self._after):
                self.struck = True
                raise Killed
            done = effect(*args, **named)
            if self._count == self._at:
                self.struck = True
                raise Killed
            return done

        return touched


def lives() -> Iterator[Knife]:
    """Yield the knife of one life after another, until a whole life passed without a cut."""
    for after in (False, True):
        for at in range(1, _TOUCHES_MAX):
            knife = Knife(at, after=after)
            yield knife
            if not knife.struck:
                break
        else:
            raise AssertionError("a life without an end")
