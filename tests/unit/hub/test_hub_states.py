"""Whatever happens in whatever order, a client that follows the rules knows what the desk knows."""

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.examples import many
from tests.unit.hub.wires import HandWire, client

from quantdesk.access.model import Permission
from quantdesk.core.errors import Refused
from quantdesk.hub.channels import PACES, Channel, rows
from quantdesk.hub.client import Limits
from quantdesk.hub.hub import Hub
from quantdesk.testing.clock import ManualClock

KEYS = ("BTC", "ETH", "SOL", "XRP")
CLIENTS = 3
ROWS_MAX = 3

some_keys = st.one_of(st.none(), st.sets(st.sampled_from(KEYS), min_size=1))
some_client = st.integers(0, CLIENTS - 1)
some_channel = st.sampled_from(("prices", "candles"))


class Follower:
    """A client by the rules of docs/reference/websocket.md."""

    def __init__(self, hub: Hub) -> None:
        self.wire = HandWire()
        self.client = client(self.wire)
        self.follows: dict[str, set[str] | None] = {}
        self.known: dict[tuple[str, str], Any] = {}
        self.sequence: dict[tuple[str, str], int] = {}
        self.epoch = hub.epoch
        hub.enter(self.client)

    def read(self) -> None:
        """Apply what came; a delta that does not fit is a failure."""
        for message in self.wire.messages():
            at = (message["ch"], message["key"])
            assert message["epoch"] == self.epoch
            if "snap" in message:
                self.known[at] = message["snap"]
            else:
                assert message["seq"] == self.sequence[at] + 1, "a gap"
                self.known[at] = applied(at[0], self.known[at], message["d"])
            self.sequence[at] = message["seq"]

    def forget(self, channel: str, keys: set[str] | None) -> None:
        """Drop what is followed no longer."""
        for at in tuple(self.known):
            if at[0] == channel and (keys is None or at[1] in keys):
                del self.known[at], self.sequence[at]


def applied(channel: str, state: Any, change: Any) -> Any:  # noqa: ANN401 - a channel's own
    """Return a state with a change."""
    if channel == "prices":
        return change
    merged = {row[0]: row for row in state} | {row[0]: row for row in change}
    return sorted(merged.values())


class HubStates(RuleBasedStateMachine):
    """A hub with a whole-value and a row-wise channel, and clients that get stuck."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.prices: dict[str, int] = {"BTC": 0, "ETH": 0, "SOL": 0}
        self.candles: dict[str, dict[int, int]] = {"BTC": {}, "ETH": {}, "SOL": {}}
        self.hub = Hub(
            [
                Channel(
                    name="prices",
                    permission=Permission.MARKET_READ,
                    keys=lambda: self.prices,
                    snapshot=self.prices.get,
                ),
                Channel(
                    name="candles",
                    permission=Permission.MARKET_READ,
                    keys=lambda: self.candles,
                    snapshot=self.bars,
                    merge=rows(lambda row: row[0], at_most=ROWS_MAX),
                ),
            ],
            epoch="e1",
            clock=self.clock,
            limits=Limits(),
        )
        self.followers: list[Follower] = []

    def bars(self, key: str) -> list[list[int]]:
        """Return a state of candles."""
        return [[at, bar] for at, bar in sorted(self.candles[key].items())]

    @initialize()
    def enter(self) -> None:
        """Seat the clients."""
        self.followers = [Follower(self.hub) for _ in range(CLIENTS)]

    @rule(key=st.sampled_from(KEYS), value=st.integers(0, 9))
    def price(self, key: str, value: int) -> None:
        """Set a price."""
        self.prices[key] = value
        self.hub.publish("prices", key, value)

    @rule(key=st.sampled_from(KEYS), at=st.integers(0, 5), bar=st.integers(0, 9))
    def candle(self, key: str, at: int, bar: int) -> None:
        """Set a candle."""
        self.candles.setdefault(key, {})[at] = bar
        self.hub.publish("candles", key, [[at, bar]])

    @rule(ms=st.sampled_from((0, 15, 100, 1000)))
    def tick(self, ms: int) -> None:
        """Let time pass and flush."""
        self.clock._now_us += ms * 1000
        self.hub.flush()

    @rule(who=some_client, ch=some_channel, keys=some_keys, pace=st.sampled_from(PACES))
    def subscribe(self, who: int, ch: str, keys: set[str] | None, pace: int) -> None:
        """Follow more."""
        follower = self.followers[who]
        known = set(self.prices if ch == "prices" else self.candles)
        if keys is not None and not keys <= known:
            return
        before = follower.follows.get(ch, set())
        now = None if keys is None or before is None else before | keys
        assert self.hub.subscribe(follower.client, ch, keys, pace) == now
        follower.follows[ch] = now

    @rule(who=some_client, ch=some_channel, keys=some_keys)
    def unsubscribe(self, who: int, ch: str, keys: set[str] | None) -> None:
        """Follow less."""
        follower = self.followers[who]
        follower.read()
        before = follower.follows.get(ch, set())
        if ch not in follower.follows or (before is None and keys is not None):
            with pytest.raises(Refused, match="followed"):
                self.hub.unsubscribe(follower.client, ch, keys)
            return
        self.hub.unsubscribe(follower.client, ch, keys)
        follower.forget(ch, keys)
        left = set() if keys is None else (before or set()) - keys
        follower.follows[ch] = left
        if not left:
            del follower.follows[ch]

    @rule(who=some_client, ch=some_channel)
    def resync(self, who: int, ch: str) -> None:
        """Ask for everything anew."""
        follower = self.followers[who]
        if ch in follower.follows:
            self.hub.resync(follower.client, ch, None)

    @rule(who=some_client)
    def get_stuck(self, who: int) -> None:
        """Read no more."""
        self.followers[who].wire.congested = True

    @rule(who=some_client, room=st.sampled_from((1, 2, None)))
    def read_some(self, who: int, room: int | None) -> None:
        """Read what there is, and have room for some more."""
        self.followers[who].read()
        self.followers[who].wire.relieve(room)

    @rule(who=some_client)
    def come_back(self, who: int) -> None:
        """Leave, and enter as somebody new."""
        self.hub.leave(self.followers[who].client)
        self.followers[who] = Follower(self.hub)

    @invariant()
    def nobody_misses_more_than_there_is(self) -> None:
        """Keep what waits for a client bounded."""
        for seat in self.hub._seats.values():
            assert len(seat.misses) <= 2 * len(KEYS)

    @invariant()
    def all_who_read_know_the_same(self) -> None:
        """Let no delta come that does not fit."""
        for follower in self.followers:
            follower.read()

    def teardown(self) -> None:
        """Let everybody read to the end: now they know what the desk knows."""
        for follower in self.followers:
            follower.wire.relieve()
        for _ in range(3):
            self.tick(1000)
        for follower in self.followers:
            follower.read()
            for ch, keys in follower.follows.items():
                states = self.prices if ch == "prices" else {k: self.bars(k) for k in self.candles}
                for key in states if keys is None else keys:
                    told = follower.known.get((ch, key))
                    untold = told is None and ch == "candles" and keys is None
                    assert told == states[key] or (untold and not states[key]), (ch, key)


HubStates.TestCase.settings = settings(max_examples=many(2), stateful_step_count=40)
test_a_client_ends_with_the_state_of_the_desk = HubStates.TestCase
