"""Signing in: guessing is slowed, old hashes are replaced, and nobody exhausts the machine."""

import asyncio

import argon2
import bcrypt
import pytest
from tests.flow.access.passwords.ground import (
    EMAIL,
    FAR,
    HOME,
    OTHER,
    PASSWORD,
    Ground,
    Web,
    plain,
    together,
)

from quantdesk.access.model import SignedIn
from quantdesk.access.passwords.hashing import Cost, Hasher
from quantdesk.core.errors import Corrupt, DeskError, Refused, Unavailable
from quantdesk.store.pool import Pools

pytestmark = pytest.mark.anyio


async def test_that_ten_failures_lock_out_their_network_and_not_the_owner(ground: Ground) -> None:
    await ground.verified()
    for _ in range(10):
        with pytest.raises(Refused, match="wrong"):
            await ground.login(OTHER, origin=FAR)
    with pytest.raises(Refused) as refused:
        await ground.login(PASSWORD, origin=FAR)
    assert refused.value.code == "sign_in.throttled"
    assert (await ground.login(PASSWORD, origin=HOME)).account.email == EMAIL


async def test_that_a_lock_does_not_tell_whether_there_is_such_an_account(ground: Ground) -> None:
    web = Web(ground, await ground.verified())
    told = {
        email: [
            plain(await web.post("/login", {"email": email, "password": OTHER})) for _ in range(12)
        ]
        for email in (EMAIL, "nobody@example.com")
    }
    assert told[EMAIL] == told["nobody@example.com"]
    assert told[EMAIL][-1][1]["code"] == "sign_in.throttled"


async def test_that_guesses_sent_all_at_once_are_counted_before_one_of_them_gets_in(
    ground: Ground,
) -> None:
    await ground.verified()
    guesses = [f"{PASSWORD} {number}" for number in range(25)]
    told = await together(*(ground.login(guess) for guess in [*guesses, PASSWORD]))
    codes = [problem.code for problem in told if isinstance(problem, DeskError)]
    assert ground.sessions.open == []
    assert len(codes) == 26
    assert codes.count("sign_in.failed") == ground.throttle.failures == 10


async def test_that_a_failure_is_told_without_the_password(ground: Ground) -> None:
    await ground.verified()
    with pytest.raises(Refused, match="wrong"):
        await ground.login(OTHER, origin=FAR)
    (act,) = ground.acts
    assert (act.action, act.about, act.origin) == ("sign_in.failed", f"email:{EMAIL}", FAR)
    assert OTHER not in repr(act)


@pytest.mark.parametrize("prefix", [b"2a", b"2b"])
async def test_that_a_bcrypt_hash_is_accepted_and_replaced(ground: Ground, prefix: bytes) -> None:
    await ground.verified()
    old = bcrypt.hashpw(b"short", bcrypt.gensalt(4, prefix=prefix)).decode()
    await ground.execute("update passwords set hash = $1", old)
    with pytest.raises(Refused, match="wrong"):
        await ground.login(PASSWORD)
    await ground.login("short")
    new = await ground.value("select hash from passwords")
    assert new.startswith("$argon2id$")
    await ground.login("short")
    assert await ground.value("select hash from passwords") == new


async def test_that_bcrypt_is_not_replaced_by_what_it_never_saw(ground: Ground) -> None:
    await ground.verified()
    seen = "tundra violin kettle " * 3 + "ninechars"
    assert len(seen) == 72
    old = bcrypt.hashpw(seen.encode(), bcrypt.gensalt(4)).decode()
    await ground.execute("update passwords set hash = $1", old)
    await ground.login(seen + " and what its owner misspelled once")
    assert await ground.value("select hash from passwords") == old


async def test_that_a_cheaper_hash_is_replaced_and_a_dearer_one_kept_out(ground: Ground) -> None:
    await ground.verified()
    weak = argon2.PasswordHasher(time_cost=1, memory_cost=16, parallelism=1, hash_len=16)
    await ground.execute("update passwords set hash = $1", weak.hash(PASSWORD))
    await ground.login(PASSWORD)
    assert "$m=8,t=1,p=1$" in await ground.value("select hash from passwords")
    dear = "$argon2id$v=19$m=4194304,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAA"
    await ground.execute("update passwords set hash = $1", dear)
    with pytest.raises(Corrupt):
        await ground.login(PASSWORD)


async def test_that_a_password_is_the_same_however_a_keyboard_spells_it(ground: Ground) -> None:
    await ground.verified(password="caf\u00e9 r\u00e9sum\u00e9 tundra")
    await ground.login("cafe\u0301 re\u0301sume\u0301 tundra")
    with pytest.raises(Refused, match="wrong"):
        await ground.login("cafe resume tundra")


async def test_that_a_password_changed_meanwhile_opens_no_session(ground: Ground) -> None:
    await ground.verified()
    await ground.recovering.ask(EMAIL, origin=HOME)
    token = await ground.token()

    async def reset() -> None:
        await ground.recovering.confirm(token, OTHER, origin=HOME)

    ground.sessions.before = reset
    with pytest.raises(Refused, match="wrong"):
        await ground.login(PASSWORD)
    assert ground.sessions.open == []


async def test_that_two_at_once_whose_hash_is_replaced_both_get_in(ground: Ground) -> None:
    await ground.verified()
    old = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    await ground.execute("update passwords set hash = $1", old)
    told = await together(*(ground.login(PASSWORD) for _ in range(4)))
    assert all(isinstance(one, SignedIn) for one in told)
    assert len(ground.sessions.open) == 4


async def test_that_beyond_the_bound_the_desk_says_that_it_is_busy(pools: Pools) -> None:
    slow = Hasher(Cost(memory_kib=16 * 1024, passes=2), at_once=1, waiting_max=1)
    ground = Ground(pools, hasher=slow)
    told = await together(*(ground.login(PASSWORD) for _ in range(10)))
    slow.close()
    busy = [one for one in told if isinstance(one, Unavailable)]
    assert {problem.code for problem in busy} == {"sign_in.busy"}
    assert slow.computed + len(busy) == 10
    assert busy


async def test_that_whoever_hangs_up_frees_their_place(pools: Pools) -> None:
    slow = Hasher(Cost(memory_kib=16 * 1024, passes=2), at_once=1, waiting_max=3)
    ground = Ground(pools, hasher=slow)
    calls = [asyncio.ensure_future(ground.login(PASSWORD)) for _ in range(4)]
    while slow.computed < 4:  # noqa: ASYNC110 - they are on their way through the database
        await asyncio.sleep(0)
    for call in calls:
        call.cancel()
    await together(*calls)
    with pytest.raises(Refused, match="wrong"):
        await ground.login(PASSWORD)
    slow.close()
