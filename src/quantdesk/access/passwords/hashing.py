"""Hashes of passwords: Argon2id, a bounded number at once, in threads that yield to trading.

Cost: the second of the recommendations of https://www.rfc-editor.org/rfc/rfc9106#section-4 (64 MiB,
three passes), in one lane, so that a hash never takes more than one core; above the least of
https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html (19 MiB, two
passes). bcrypt hashes of other systems are read as well, and replaced when their owner signs in.

Two hashes at once and a bounded queue: sign-in takes at most 128 MiB and two low-priority threads,
and says 503 to whatever comes beyond.
"""

import asyncio
import os
import re
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

import argon2
import bcrypt
import msgspec

from quantdesk.access.passwords.rules import normalized
from quantdesk.core.errors import Corrupt, Unavailable

Done = TypeVar("Done")

AT_ONCE: Final = 2
WAITING_MAX: Final = 32
"""Two at once take some seconds over these; whoever waited longer would have given up."""
_NICE: Final = 10
_BCRYPT: Final = re.compile(r"\$2[aby]\$(?:0[4-9]|1[0-4])\$[./A-Za-z0-9]{53}")
"""Of a cost up to 14: what a hash may cost to check is ours to bound, not its maker's."""
_BCRYPT_BYTES: Final = 72
_COST_MAX: Final = {"memory_cost": 256 * 1024, "time_cost": 10, "parallelism": 8}


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What one Argon2id hash costs."""

    memory_kib: int = 64 * 1024
    passes: int = 3
    lanes: int = 1


class Hasher:
    """Hashes and checks passwords; `computed` counts hashes of either kind."""

    def __init__(
        self, cost: Cost | None = None, *, at_once: int = AT_ONCE, waiting_max: int = WAITING_MAX
    ) -> None:
        cost = cost or Cost()
        self._argon2 = argon2.PasswordHasher(
            time_cost=cost.passes, memory_cost=cost.memory_kib, parallelism=cost.lanes
        )
        self._threads = ThreadPoolExecutor(
            at_once, thread_name_prefix="passwords", initializer=_yield_to_others
        )
        self._room = threading.BoundedSemaphore(at_once + waiting_max)
        self.computed = 0

    async def hash(self, password: str) -> str:
        """Return the hash of a password; raise `Unavailable` (`sign_in.busy`)."""
        return await self._run(lambda: self._argon2.hash(normalized(password)))

    async def matches(self, kept: str | None, password: str) -> bool:
        """Return whether a password is the one that was hashed; with no hash, spend as much.

        Raises `Unavailable` (`sign_in.busy`), `Corrupt` (`password.unreadable`).
        """
        if kept is None:
            await self.hash(password)
            return False
        if not is_readable(kept):
            raise _unreadable()
        if _is_bcrypt(kept):
            return await self._run(lambda: _bcrypt_matches(kept, password))
        return await self._run(lambda: self._argon2_matches(kept, password))

    def is_stale(self, kept: str, password: str) -> bool:
        """Return whether a hash that just matched should be replaced by one of today's cost."""
        if _is_bcrypt(kept):
            # It never saw the rest of a longer one: what was typed may not be the owner's own.
            return len(password.encode()) <= _BCRYPT_BYTES
        return self._argon2.check_needs_rehash(kept)

    def close(self) -> None:
        """End the threads, once what they compute is done."""
        self._threads.shutdown(cancel_futures=True)

    def _argon2_matches(self, kept: str, password: str) -> bool:
        try:
            return self._argon2.verify(kept, normalized(password))
        except argon2.exceptions.VerifyMismatchError:
            return False
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            raise _unreadable() from None

    async def _run(self, compute: Callable[[], Done]) -> Done:
        if not self._room.acquire(blocking=False):
            raise Unavailable("too many are signing in at once; try again", code="sign_in.busy")
        self.computed += 1
        running = self._threads.submit(compute)
        # By the thread's own future: whoever asked may be gone before it is done.
        running.add_done_callback(self._free)
        return await asyncio.wrap_future(running)

    def _free(self, _: Future[Done]) -> None:
        self._room.release()


def is_readable(kept: str) -> bool:
    """Return whether this is a hash that the desk checks, at a cost that it bears."""
    if _is_bcrypt(kept):
        return _BCRYPT.fullmatch(kept) is not None
    try:
        cost = argon2.extract_parameters(kept)
    except argon2.exceptions.InvalidHashError:
        return False
    return cost.type is argon2.Type.ID and all(
        getattr(cost, name) <= most for name, most in _COST_MAX.items()
    )


def _unreadable() -> Corrupt:
    return Corrupt("a stored password hash is unreadable", code="password.unreadable")


def _is_bcrypt(kept: str) -> bool:
    return kept.startswith("$2")


def _bcrypt_matches(kept: str, password: str) -> bool:
    # As its maker hashed it: cut off at 72 bytes, whatever the spelling.
    return bcrypt.checkpw(password.encode()[:_BCRYPT_BYTES], kept.encode())


def _yield_to_others() -> None:
    """Let trading go first: on Linux a thread has a priority of its own."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
