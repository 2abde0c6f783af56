"""The hub: the one place where what the desk knows becomes what its clients see.

ingest → `publish` (marks what changed, nothing more) → `flush`, once per tick: lanes fold and build
→ each client's connection. A client that cannot take more is noted with the keys it misses and
gets their state when there is room: it never holds up another, and never sees an old value after
a new one. Sequence rule for clients: docs/reference/websocket.md.
"""

import asyncio
from collections.abc import Collection, Iterable
from typing import Any

from quantdesk.core.clock import Clock, iso
from quantdesk.core.errors import Refused
from quantdesk.hub.channels import Channel
from quantdesk.hub.client import Client, Limits
from quantdesk.hub.frames import frame
from quantdesk.hub.lanes import Keys, Lane

TICK_S = 0.015
"""How long changes gather before they are sent together."""

HEARTBEAT_S = 10.0


class _Followed:
    """A channel with its lanes, and what changed since the last flush."""

    __slots__ = ("changes", "channel", "lanes", "merge")

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.merge = channel.merge
        self.changes: dict[str, Any] = {}
        self.lanes: dict[int, Lane] = {}


class _Seat:
    """What a client follows, by channel, and what it misses, oldest first."""

    __slots__ = ("follows", "misses")

    def __init__(self) -> None:
        self.follows: dict[str, tuple[Lane, Keys | None]] = {}
        self.misses: dict[tuple[Lane, str], None] = {}

    def keys(self) -> int:
        """Return how many keys it follows over all channels."""
        follows = self.follows.values()
        return sum(len(lane.channel.keys() if k is None else k) for lane, k in follows)


class Hub:
    """Channels, and the clients that follow them.

    `epoch` names this start of the desk: sequences of another one mean nothing any more.
    """

    def __init__(
        self, channels: Iterable[Channel], *, epoch: str, clock: Clock, limits: Limits
    ) -> None:
        self.epoch = epoch
        self.limits = limits
        self.delivered = 0
        self.conflated = 0
        self._clock = clock
        self._channels = {channel.name: _Followed(channel) for channel in channels}
        self._seats: dict[Client, _Seat] = {}
        self._awake = False
        self._changed = asyncio.Event()

    def publish(self, channel: str, key: str, change: Any) -> None:  # noqa: ANN401 - a channel's own
        """Tell a change of a key; it is sent with the next flush, if anybody listens."""
        followed = self._channels[channel]
        if not followed.lanes:
            return
        changes = followed.changes
        changes[key] = followed.merge(changes[key], change) if key in changes else change
        if not self._awake:
            self._awake = True
            self._changed.set()

    def follows(self, channel: str) -> bool:
        """Return whether anybody follows a channel: what nobody does need not be worked out."""
        return bool(self._channels[channel].lanes)

    async def run(self) -> None:
        """Flush and beat until cancelled."""
        async with asyncio.TaskGroup() as loops:
            loops.create_task(self._flushing())
            loops.create_task(self._beating())

    def flush(self) -> bool:
        """Send what changed and may be sent now; return whether something still waits."""
        now_s, now_ms = self._clock.monotonic(), self._clock.now_ms()
        waits = False
        for followed in self._channels.values():
            changes, followed.changes = followed.changes, {}
            for lane in followed.lanes.values():
                if changes:
                    lane.take(changes)
                if lane.pending and lane.due_s <= now_s:
                    lane.due_s = now_s + 1 / lane.pace
                    self._send(lane, now_ms)
                waits = waits or bool(lane.pending)
        return waits

    def beat(self) -> None:
        """Tell every client that the desk lives."""
        beat = frame(b'{"ch":"heartbeat","t":"%b"}' % iso(self._clock.now_ms()).encode())
        for client in self._seats:
            if not client.wire.congested:
                client.wire.write(beat)

    def enter(self, client: Client) -> None:
        """Let a client follow channels."""
        self._seats[client] = _Seat()
        client.room = lambda: self._catch_up(client)

    def leave(self, client: Client) -> None:
        """Forget a client."""
        seat = self._seats.pop(client)
        for name in tuple(seat.follows):
            self._unfollow(client, seat, name)
        client.room = _nothing

    def __len__(self) -> int:
        return len(self._seats)

    def channels(self, client: Client) -> list[str]:
        """Return the names of what a client may follow."""
        return [name for name, f in self._channels.items() if _may(client, f.channel)]

    def subscribe(
        self, client: Client, channel: str, keys: Collection[str] | None, pace: int
    ) -> Keys | None:
        """Follow more keys of a channel, None for all, at a pace; return what is followed now.

        Their snapshots go out first; those of all keys when the pace changed. Raises `Refused`:
        `channel.unknown`, `channel.forbidden`, `key.unknown`, `subscriptions.too_many`.
        """
        followed, seat = self._open(client, channel), self._seats[client]
        added = self._known(followed.channel, keys)
        before = seat.follows.get(channel)
        wanted = None if keys is None or (before and before[1] is None) else added
        if before and before[1] is not None and wanted is not None:
            wanted |= before[1]
        already = 0 if before is None else self._count(followed.channel, before[1])
        if seat.keys() - already + self._count(followed.channel, wanted) > self.limits.keys:
            raise Refused(
                f"a client follows at most {self.limits.keys} keys", code="subscriptions.too_many"
            )
        lane = followed.lanes.get(pace)
        if lane is None:
            lane = followed.lanes[pace] = Lane(followed.channel, pace=pace, epoch=self.epoch)
        if before and before[0] is not lane:
            added = self._known(followed.channel, wanted)
        # Joined before it leaves: a lane that only this client follows must keep its numbers.
        if before != (lane, wanted):
            lane.join(client, wanted, added)
            if before is not None:
                before[0].leave(client, before[1])
                if before[0] is not lane:
                    self._miss_no_more(seat, before[0])
                    self._drop(followed, before[0])
        seat.follows[channel] = (lane, wanted)
        self._miss(client, seat, lane, added)
        return wanted

    def unsubscribe(self, client: Client, channel: str, keys: Collection[str] | None) -> None:
        """Follow these keys of a channel no longer, None for the whole channel.

        Raises `Refused`: `channel.unknown`, `channel.forbidden`, `subscription.unknown`.
        """
        followed, seat = self._open(client, channel), self._seats[client]
        lane, before = self._follows(seat, channel)
        if before is None and keys is not None:
            raise Refused(
                "everything is followed: unsubscribe without keys", code="subscription.unknown"
            )
        left = frozenset() if keys is None or before is None else before - frozenset(keys)
        if not left:
            self._unfollow(client, seat, channel)
            return
        if left != before:
            lane.join(client, left, frozenset())
            lane.leave(client, before)
            seat.follows[channel] = (lane, left)
            self._miss_no_more(seat, lane, keep=left)
            assert lane in followed.lanes.values()

    def resync(self, client: Client, channel: str, keys: Collection[str] | None) -> Keys:
        """Send the state of these keys anew, None for all that are followed; return which.

        Raises `Refused`: `channel.unknown`, `channel.forbidden`, `subscription.unknown`.
        """
        followed, seat = self._open(client, channel), self._seats[client]
        lane, follows = self._follows(seat, channel)
        all_keys = self._known(followed.channel, follows)
        wanted = all_keys if keys is None else frozenset(keys)
        if not wanted <= all_keys:
            raise Refused("some of these keys are not followed", code="subscription.unknown")
        self._miss(client, seat, lane, wanted)
        return wanted

    def _send(self, lane: Lane, now_ms: int) -> None:
        frames = lane.build(now_ms)
        for audience in lane.audiences.values():
            keys = audience.keys
            told = list(frames) if keys is None else [key for key in frames if key in keys]
            if not told:
                continue
            joined = b"".join([frames[key] for key in told])
            for client in audience.members:
                if client.wire.congested:
                    self._seats[client].misses.update(dict.fromkeys((lane, key) for key in told))
                    self.conflated += len(told)
                else:
                    client.wire.write(joined)
                    self.delivered += len(told)

    def _miss(self, client: Client, seat: _Seat, lane: Lane, keys: Iterable[str]) -> None:
        seat.misses.update(dict.fromkeys((lane, key) for key in sorted(keys)))
        self._catch_up(client)

    def _catch_up(self, client: Client) -> None:
        misses, now_ms = self._seats[client].misses, self._clock.now_ms()
        while misses and not client.wire.congested:
            lane, key = next(iter(misses))
            del misses[lane, key]
            client.wire.write(lane.snapshot(key, now_ms))
            self.delivered += 1

    def _unfollow(self, client: Client, seat: _Seat, channel: str) -> None:
        lane, keys = seat.follows.pop(channel)
        lane.leave(client, keys)
        self._miss_no_more(seat, lane)
        self._drop(self._channels[channel], lane)

    @staticmethod
    def _miss_no_more(seat: _Seat, lane: Lane, *, keep: Keys = frozenset()) -> None:
        seat.misses = {
            missed: None for missed in seat.misses if missed[0] is not lane or missed[1] in keep
        }

    @staticmethod
    def _drop(followed: _Followed, lane: Lane) -> None:
        if not lane.audiences:
            del followed.lanes[lane.pace]
        if not followed.lanes:
            followed.changes = {}

    @staticmethod
    def _follows(seat: _Seat, channel: str) -> tuple[Lane, Keys | None]:
        follows = seat.follows.get(channel)
        if follows is None:
            raise Refused(f"{channel} is not followed", code="subscription.unknown")
        return follows

    @staticmethod
    def _count(channel: Channel, keys: Keys | None) -> int:
        return len(channel.keys() if keys is None else keys)

    @staticmethod
    def _known(channel: Channel, keys: Collection[str] | None) -> Keys:
        known = channel.keys()
        if keys is None:
            return frozenset(known)
        for key in keys:
            if key not in known:
                raise Refused(f"{channel.name} has no {key[:64]}", code="key.unknown")
        return frozenset(keys)

    def _open(self, client: Client, name: str) -> _Followed:
        followed = self._channels.get(name)
        if followed is None:
            raise Refused(
                f"there is no channel {name[:64]}; channels: {', '.join(self._channels)}",
                code="channel.unknown",
            )
        if not _may(client, followed.channel):
            raise Refused(
                f"{name} needs the permission {followed.channel.permission}",
                code="channel.forbidden",
            )
        return followed

    async def _flushing(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            await self._clock.sleep(TICK_S)
            self._awake = False
            while self.flush():
                await self._clock.sleep(TICK_S)

    async def _beating(self) -> None:
        while True:
            await self._clock.sleep(HEARTBEAT_S)
            self.beat()


def _may(client: Client, channel: Channel) -> bool:
    return channel.permission in client.account.may


def _nothing() -> None:
    """Do nothing."""
