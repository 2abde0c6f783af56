"""What processes share, and what is left when others than its owner set an account up."""

import asyncio

import pytest
from tests.flow.access.factors.ground import SEALER, Ground

from quantdesk.access.factors import store
from quantdesk.access.factors.challenges import open_challenges
from quantdesk.access.sealing import Sealer
from quantdesk.core.errors import Corrupt
from quantdesk.store.pool import Pools
from quantdesk.testing.authenticator import Authenticator
from quantdesk.testing.clock import ManualClock

pytestmark = pytest.mark.anyio


async def test_all_processes_know_each_others_challenges(pools: Pools) -> None:
    clock = ManualClock()
    opened = await asyncio.gather(
        *(open_challenges(pools, sealer=SEALER, clock=clock) for _ in range(4))
    )

    challenge = opened[0].make("sign_in")

    assert len({process.check(challenge, "sign_in") for process in opened}) == 1


async def test_the_key_of_challenges_opens_for_the_master_key_only(pools: Pools) -> None:
    clock = ManualClock()
    await open_challenges(pools, sealer=SEALER, clock=clock)

    with pytest.raises(Corrupt):
        await open_challenges(pools, sealer=Sealer({1: bytes(32)}), clock=clock)


async def test_all_factors_of_one_account_are_removed(desk: Ground) -> None:
    ann, bob = await desk.user("ann"), await desk.user("bob")
    for user in (ann, bob):
        await desk.with_app(user)
        await desk.with_passkey(user, Authenticator(user.name))
    pending = await desk.user("eve")
    await desk.enrolment.begin_totp(desk.session(pending))

    async with desk.means.pools.write.transaction() as c:
        await store.remove_all(c, ann.id)
        await store.remove_all(c, pending.id)
        left = [
            await c.fetchval(f"select count(*) from {table}")
            for table in ("totps", "totp_enrolments", "recovery_codes", "passkeys")
        ]

    assert left == [1, 0, 10, 1]
    assert await desk.known.methods(ann.id) == ()
    assert await desk.known.methods(bob.id) == ("totp", "passkey", "recovery")
