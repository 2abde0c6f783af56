"""Hashes: of what RFC 9106 recommends, and never more at once than the machine bears."""

import asyncio
import os
import threading

import argon2
import bcrypt
import pytest

from quantdesk.access.passwords.hashing import Cost, Hasher, is_readable
from quantdesk.core.errors import Corrupt, Unavailable

pytestmark = pytest.mark.anyio
CHEAP = Cost(memory_kib=8, passes=1)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_that_a_hash_costs_what_is_recommended() -> None:
    hasher = Hasher()
    hashed = await hasher.hash("tundra violin kettle")
    hasher.close()
    told = argon2.extract_parameters(hashed)
    assert (told.type, told.memory_cost, told.time_cost) == (argon2.Type.ID, 65536, 3)
    assert (told.salt_len, told.hash_len, told.parallelism) == (16, 32, 1)
    assert is_readable(hashed)


async def test_that_no_more_are_computed_at_once_than_allowed() -> None:
    hasher = Hasher(CHEAP, at_once=2, waiting_max=3)
    release, lock, running, most = threading.Event(), threading.Lock(), 0, 0

    def compute() -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        release.wait()
        with lock:
            running -= 1
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    calls = [asyncio.ensure_future(hasher._run(compute)) for _ in range(5)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable) as busy:
        await hasher.hash("one too many")
    assert busy.value.code == "sign_in.busy"
    release.set()
    niceness = await asyncio.gather(*calls)
    assert most == 2
    assert min(niceness) > os.getpriority(os.PRIO_PROCESS, 0)
    await hasher.hash("room again")
    hasher.close()


@pytest.mark.parametrize(
    "kept",
    [
        "",
        "plain",
        "$argon2i$v=19$m=8,t=1,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=999999999,t=1,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=8,t=999,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA",
        "$2b$31$" + "a" * 53,
        "$2b$10$short",
        "$2x$10$" + "a" * 53,
        "$argon2id$v=19$m=8,t=1,p=1$!!!!$????",
    ],
)
async def test_that_a_hash_that_cannot_be_is_never_a_match(kept: str) -> None:
    hasher = Hasher(CHEAP)
    with pytest.raises(Corrupt) as corrupt:
        await hasher.matches(kept, "tundra violin kettle")
    hasher.close()
    assert corrupt.value.code == "password.unreadable"
    assert "tundra" not in str(corrupt.value)


async def test_that_bcrypt_of_other_makers_is_read() -> None:
    hasher = Hasher(CHEAP)
    hashed = bcrypt.hashpw(b"tundra violin kettle", bcrypt.gensalt(4)).decode()
    for kept in (hashed, hashed.replace("$2b$", "$2y$"), hashed.replace("$2b$", "$2a$")):
        assert await hasher.matches(kept, "tundra violin kettle")
        assert not await hasher.matches(kept, "tundra violin kettl")
        assert not await hasher.matches(kept, "\0")
        assert not await hasher.matches(kept, "x" * 5_000)
    hasher.close()
