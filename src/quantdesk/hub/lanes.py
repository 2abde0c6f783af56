"""A lane: one channel at one pace. It numbers messages, and builds each once for all who get it.

Clients that follow the same keys form an audience: what they get is joined once, and written to
each as it is. Pure: the hub calls it with the time, and writes.
"""

from collections import Counter
from typing import Any

import msgspec

from quantdesk.core.clock import iso
from quantdesk.hub.channels import RESTART, Channel
from quantdesk.hub.client import Client
from quantdesk.hub.frames import frame

Keys = frozenset[str]

encode = msgspec.json.Encoder().encode


class Audience:
    """Clients that follow the same keys of a lane; None is all of them, now and later."""

    __slots__ = ("keys", "members")

    def __init__(self, keys: Keys | None) -> None:
        self.keys = keys
        self.members: set[Client] = set()


class Lane:
    """What the clients of one pace were told of a channel."""

    def __init__(self, channel: Channel, *, pace: int, epoch: str) -> None:
        self.channel = channel
        self.pace = pace
        self.due_s = 0.0
        self.pending: dict[str, Any] = {}
        self.audiences: dict[Keys | None, Audience] = {}
        self._epoch = encode(epoch)
        self._sequence: dict[str, int] = {}
        self._heads: dict[str, bytes] = {}
        self._followed: Counter[str] = Counter()
        self._snapshots: dict[str, bytes] = {}
        self._untold: set[str] = set()
        """Keys that some of those who follow everything have not heard of yet."""

    def join(self, client: Client, keys: Keys | None, known: Keys) -> None:
        """Let a client hear of these keys; `known` are those it will be given a snapshot of."""
        for key in known:
            self._number(key)
        audience = self.audiences.get(keys)
        if audience is None:
            audience = self.audiences[keys] = Audience(keys)
            self._followed.update(keys or ())
        audience.members.add(client)

    def leave(self, client: Client, keys: Keys | None) -> None:
        """Tell a client no more."""
        audience = self.audiences[keys]
        audience.members.discard(client)
        if not audience.members:
            del self.audiences[keys]
            self._followed.subtract(keys or ())
            self._followed = +self._followed

    def take(self, changes: dict[str, Any]) -> None:
        """Fold changes into those that were not sent yet, where somebody follows their key."""
        pending, merge, everything = self.pending, self.channel.merge, None in self.audiences
        for key, change in changes.items():
            self._snapshots.pop(key, None)
            if everything or key in self._followed:
                known = pending.get(key, _NOTHING)
                pending[key] = change if known is _NOTHING else merge(known, change)

    def build(self, now_ms: int) -> dict[str, bytes]:
        """Return the frames of all that is pending, by key; it is pending no longer."""
        tail = b',"t":"%b","d":' % iso(now_ms).encode()
        frames = {}
        for key, change in self.pending.items():
            known = self._sequence.get(key)
            self._sequence[key] = sequence = (known or 0) + 1
            self._snapshots.pop(key, None)
            if known is None or key in self._untold or change is RESTART:
                # A key that is new to those who follow everything begins with its state.
                self._untold.discard(key)
                frames[key] = self.snapshot(key, now_ms)
            else:
                frames[key] = frame(
                    b"%b%d%b%b}" % (self._head(key), sequence, tail, encode(change))
                )
        self.pending = {}
        return frames

    def snapshot(self, key: str, now_ms: int) -> bytes:
        """Return the frame with the state of a key, after which the next delta fits."""
        made = self._snapshots.get(key)
        if made is None:
            sequence = self._number(key)
            state = encode(self.channel.snapshot(key))
            tail = b',"t":"%b","snap":' % iso(now_ms).encode()
            made = self._snapshots[key] = frame(
                b"%b%d%b%b}" % (self._head(key), sequence, tail, state)
            )
        return made

    def _number(self, key: str) -> int:
        """Return the number of a key's last message; new keys are untold to who follows all."""
        sequence = self._sequence.get(key)
        if sequence is None:
            sequence = self._sequence[key] = 0
            if None in self.audiences:
                self._untold.add(key)
        return sequence

    def _head(self, key: str) -> bytes:
        head = self._heads.get(key)
        if head is None:
            names = encode(self.channel.name), encode(key), self._epoch
            head = self._heads[key] = b'{"ch":%b,"key":%b,"epoch":%b,"seq":' % names
        return head


_NOTHING = object()
