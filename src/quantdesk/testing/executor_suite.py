"""What every place where orders settle must keep: one fill, wherever the desk dies.

    @pytest.mark.parametrize("story", executor_suite.STORIES, ids=lambda story: story.__name__)
    async def test_my_executor(story: executor_suite.Story) -> None:
        async with my_world() as world:
            await story(world)

A `World` is what is left when a desk dies: the place itself, and a clock. Every story runs one
order as the engine does (`engines.orders.execution`): what `prepare` returned is committed before
`send`, the same bytes are sent again until `look` tells their fate, and only DEAD or REVERTED leads
to another attempt. Killed means: that `Chain` object is used no more, another one takes over.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final, Protocol

from quantdesk.chains.port import Chain, Fate, Instruction, Receipt, Trade, Transaction
from quantdesk.core.errors import Unavailable
from quantdesk.core.markets import Side

_LOOKS_MAX: Final = 400
_DEAD_LOOKS_MAX: Final = 40
_ATTEMPTS_MAX: Final = 3
_SILENT_LOOKS: Final = 15


class World(Protocol):
    """A place where orders settle, from outside any desk."""

    async def desk(self) -> Chain:
        """Start a process that trades; those before it may be alive or not."""

    def order(self, attempt: int) -> tuple[Trade, Sequence[Instruction]]:
        """Return the one order of a story, for an attempt: the same but for its memo."""

    async def pass_time(self, seconds: float) -> None:
        """Let time pass for everybody."""

    def lose_request(self) -> None:
        """Let what is sent next be lost on its way."""

    def lose_answer(self) -> None:
        """Let what is sent next take effect, and its answer be lost."""

    def hush(self, *, on: bool) -> None:
        """Leave every question unanswered from now on, or answer again."""

    def fills(self) -> int:
        """Return how often the order was filled, all attempts together."""


Story = Callable[[World], Awaitable[None]]


async def fills_once(world: World) -> None:
    """Fill an order when nothing goes wrong, and tell what moved."""
    desk = await world.desk()
    await _ends(world, desk, await _signed(world, desk))


async def sent_again_it_fills_once(world: World) -> None:
    """Take the same bytes any number of times."""
    desk = await world.desk()
    made = await _signed(world, desk)
    for _ in range(4):
        await _send(desk, made)
    await asyncio.gather(*(_send(desk, made) for _ in range(4)))
    await _ends(world, desk, made)


async def cancelled_before_it_was_sent_it_never_fills(world: World) -> None:
    """Sign and never send, as of an order that is cancelled; once it is dead, it stays dead."""
    desk = await world.desk()
    made = await _signed(world, desk)
    fate = Fate.UNSEEN
    for _ in range(_DEAD_LOOKS_MAX):
        fate = await _fate(desk, made)
        assert fate in (Fate.UNSEEN, Fate.DEAD), f"what was never sent is {fate}"
        assert world.fills() == 0, "what was never sent has filled"
        if fate is Fate.DEAD:
            break
        await world.pass_time(10)
    if fate is Fate.DEAD:  # which some places never say of what nobody sent
        for late in (desk, await world.desk()):
            await _send(late, made)
            await world.pass_time(10)
            assert world.fills() == 0, "what was said to be dead has filled"


async def every_desk_tells_what_moved(world: World) -> None:
    """Tell the same amounts whoever asks, within the trade's bound, and what is left."""
    desk = await world.desk()
    trade, _ = world.order(1)
    made = await _signed(world, desk)
    assert await _settled(world, desk, made) is Fate.LANDED, "the first attempt lands"
    told = [await _receipt(world, one, made, 1) for one in (desk, await world.desk())]
    assert len({(one.base_raw, one.quote_raw) for one in told}) == 1, f"told as {told}"
    quote, limit = told[0].quote_raw, trade.quote_limit_raw
    kept = quote <= limit if trade.side is Side.BUY else quote >= limit
    assert kept, f"{quote} moved, but the bound was {limit}"
    assets = (trade.base, trade.quote)
    left = await (await world.desk()).balances(assets)
    assert left.keys() == {asset.symbol for asset in assets}, "it tells what was asked"
    assert all(amount >= 0 for amount in left.values()), "nobody holds less than nothing"


async def killed_before_the_commit_it_is_signed_afresh(world: World) -> None:
    """Forget what was signed and never sent, and sign the same attempt again."""
    await _signed(world, await world.desk())
    desk = await world.desk()
    await _ends(world, desk, await _signed(world, desk))


async def killed_after_the_commit_it_is_taken_over(world: World) -> None:
    """Take over bytes that were committed and never sent."""
    made = await _signed(world, await world.desk())
    await _ends(world, await world.desk(), made)


async def killed_after_it_was_sent_it_is_taken_over(world: World) -> None:
    """Take over bytes that were sent."""
    desk = await world.desk()
    made = await _signed(world, desk)
    await _send(desk, made)
    await _ends(world, await world.desk(), made)


async def killed_with_the_answer_lost_it_is_taken_over(world: World) -> None:
    """Take over bytes that took effect without anybody being told."""
    desk = await world.desk()
    made = await _signed(world, desk)
    world.lose_answer()
    await _send(desk, made)
    await _ends(world, await world.desk(), made)


async def with_the_answer_lost_it_fills_once(world: World) -> None:
    """Go on alone after an answer was lost."""
    desk = await world.desk()
    made = await _signed(world, desk)
    world.lose_answer()
    await _send(desk, made)
    await _ends(world, desk, made)


async def with_the_request_lost_it_fills_once(world: World) -> None:
    """Go on after a request was lost."""
    desk = await world.desk()
    made = await _signed(world, desk)
    world.lose_request()
    await _send(desk, made)
    await _ends(world, desk, made)


async def killed_with_the_request_lost_it_is_taken_over(world: World) -> None:
    """Take over bytes of which a request was lost."""
    desk = await world.desk()
    made = await _signed(world, desk)
    world.lose_request()
    await _send(desk, made)
    await _ends(world, await world.desk(), made)


async def while_nobody_answers_nothing_is_concluded(world: World) -> None:
    """Conclude nothing from silence, however long and whoever asks, and everything after it."""
    desk = await world.desk()
    made = await _signed(world, desk)
    world.lose_answer()
    await _send(desk, made)
    world.hush(on=True)
    for one in (desk, await world.desk()):
        for _ in range(_SILENT_LOOKS):
            fate = await _fate(one, made)
            assert fate in (Fate.UNSEEN, Fate.LANDED), f"silence told that it is {fate}"
            await world.pass_time(10)
    world.hush(on=False)
    await _ends(world, await world.desk(), made)


async def two_desks_at_once_fill_once(world: World) -> None:
    """Let a desk that was taken for dead send beside its successor."""
    first, second = await world.desk(), await world.desk()
    made = await _signed(world, first)
    await asyncio.gather(_send(second, made), _send(first, made))
    await _ends(world, second, made)
    await _send(first, made)
    await _still(world)


async def a_desk_that_wakes_up_late_fills_nothing(world: World) -> None:
    """Let a desk sleep between commit and send until its order has ended elsewhere."""
    sleeper = await world.desk()
    made = await _signed(world, sleeper)
    await _ends(world, await world.desk(), made)
    await _send(sleeper, made)
    await _still(world)


async def killed_at_every_look_it_fills_once(world: World) -> None:
    """Let every desk die after one look."""
    desk = await world.desk()
    made = await _signed(world, desk)
    world.lose_answer()
    await _send(desk, made)
    fate = Fate.UNSEEN
    for _ in range(_LOOKS_MAX):
        desk = await world.desk()
        await _send(desk, made)
        await world.pass_time(1)
        fate = await _fate(desk, made)
        if fate is not Fate.UNSEEN:
            break
    assert fate is Fate.LANDED, f"what took effect is {fate}"
    await _still(world)


STORIES: Final[tuple[Story, ...]] = (
    fills_once,
    every_desk_tells_what_moved,
    cancelled_before_it_was_sent_it_never_fills,
    sent_again_it_fills_once,
    killed_before_the_commit_it_is_signed_afresh,
    killed_after_the_commit_it_is_taken_over,
    killed_after_it_was_sent_it_is_taken_over,
    killed_with_the_answer_lost_it_is_taken_over,
    with_the_answer_lost_it_fills_once,
    with_the_request_lost_it_fills_once,
    killed_with_the_request_lost_it_is_taken_over,
    while_nobody_answers_nothing_is_concluded,
    two_desks_at_once_fill_once,
    a_desk_that_wakes_up_late_fills_nothing,
    killed_at_every_look_it_fills_once,
)
"""Every story; each needs a world of its own."""


async def _signed(world: World, desk: Chain, attempt: int = 1) -> Transaction:
    trade, instructions = world.order(attempt)
    return await desk.prepare(trade, instructions)


async def _send(desk: Chain, made: Transaction) -> None:
    with suppress(Unavailable):
        await desk.send(made)


async def _fate(desk: Chain, made: Transaction) -> Fate:
    try:
        (sighting,) = await desk.look([made])
    except Unavailable:
        return Fate.UNSEEN
    return sighting.fate


async def _ends(world: World, desk: Chain, made: Transaction) -> None:
    """Bring the order to its end from its first attempt's bytes on, and see that it filled once."""
    for attempt in range(1, _ATTEMPTS_MAX + 1):
        if attempt > 1:
            made = await _signed(world, desk, attempt)
        if await _settled(world, desk, made) is Fate.LANDED:
            receipt = await _receipt(world, desk, made, attempt)
            assert receipt.base_raw > 0, "a fill moves something"
            assert receipt.quote_raw > 0, "a fill is paid for"
            await _still(world)
            return
        assert world.fills() == 0, "an attempt that filled was given up"
    raise AssertionError("no attempt was filled")


async def _settled(world: World, desk: Chain, made: Transaction) -> Fate:
    await _send(desk, made)
    for _ in range(_LOOKS_MAX):
        fate = await _fate(desk, made)
        if fate is not Fate.UNSEEN:
            return fate
        await world.pass_time(1)
        await _send(desk, made)
    raise AssertionError("its fate was never told")


async def _receipt(world: World, desk: Chain, made: Transaction, attempt: int) -> Receipt:
    for _ in range(_LOOKS_MAX):
        try:
            return await desk.receipt(world.order(attempt)[0], made)
        except Unavailable:
            await world.pass_time(1)
    raise AssertionError("what moved was never told")


async def _still(world: World) -> None:
    """See that the order filled once, and that waiting brings no more."""
    for _ in range(3):
        assert world.fills() == 1, f"filled {world.fills()} times"
        await world.pass_time(100)
