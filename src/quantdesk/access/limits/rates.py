"""Rates of requests: a token bucket for each account, key and address, by class of route.

In memory, so that a request is judged in microseconds: at most `subjects_max` buckets of each kind
and class, and the one that was idle longest goes first (it is the fullest, so least is forgotten).
Addresses have shelves of their own: however many there are, no account's bucket goes for them.

Header fields: https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ (draft 10):
`q` the quota, `w` the seconds in which it comes back whole, `r` what is left, `t` seconds until it
is whole again.
"""

import math
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Mapping

from quantdesk.access.limits.refusing import Fields, TooMany
from quantdesk.access.limits.routes import RATES, ClassRates, Rate, RouteClass
from quantdesk.access.model import Principal
from quantdesk.access.networks import whole
from quantdesk.core.bucket import Bucket

_SUBJECTS_MAX = 20_000


class Held(Bucket):
    """A bucket that knows what it spent since other processes were told (`sharing.py`)."""

    __slots__ = ("shelf", "subject", "untold")

    def __init__(self, shelf: "Shelf", subject: Hashable) -> None:
        super().__init__(shelf.rate.burst, shelf.rate.per_s)
        self.shelf = shelf
        self.subject = subject
        self.untold = 0.0

    __hash__ = object.__hash__
    __eq__ = object.__eq__

    def learn(self, spent: float, now_s: float) -> None:
        """Take over that all processes spent so much by now, if it is more than is known here."""
        self.spent = max(0.0, self.spent - self.per_s * max(0.0, now_s - self._at_s))
        self._at_s = max(self._at_s, now_s)
        self.spent = max(self.spent, spent)


class Shelf:
    """The buckets of one kind of subject and one class of routes."""

    __slots__ = ("buckets", "name", "policy", "rate", "subjects_max")

    def __init__(self, name: str, rate: Rate, *, subjects_max: int) -> None:
        self.name = name
        self.rate = rate
        self.subjects_max = subjects_max
        self.buckets: OrderedDict[Hashable, Held] = OrderedDict()
        self.policy = b'"%b";q=%d;w=%d' % (
            name.encode(), rate.burst, math.ceil(rate.burst / rate.per_s),
        )  # fmt: skip

    def bucket(self, subject: Hashable) -> Held:
        """Return a subject's bucket: the one used last, from now on."""
        held = self.buckets.get(subject)
        if held is not None:
            self.buckets.move_to_end(subject)
            return held
        if len(self.buckets) >= self.subjects_max:
            self.buckets.popitem(last=False)
        held = self.buckets[subject] = Held(self, subject)
        return held


class Verdict:
    """Whether a request may go on, and what its sender is told; `bucket` None is no bound at all.

    `wait_s` is 0 for what may go on.
    """

    __slots__ = ("bucket", "wait_s")

    def __init__(self, bucket: Held | None, wait_s: float) -> None:
        self.bucket = bucket
        self.wait_s = wait_s

    def check(self) -> None:
        """Raise `TooMany` (`request.too_many`) for what may not go on."""
        if self.wait_s > 0:
            assert self.bucket is not None, "a bound refused"
            name = self.bucket.shelf.name
            raise TooMany(f"too many requests ({name})", wait_s=self.wait_s, fields=self.headers())

    def headers(self) -> Fields:
        """Return `RateLimit` and `RateLimit-Policy`, nothing where there is no bound."""
        bucket = self.bucket
        if bucket is None:
            return ()
        left = max(0, math.floor(bucket.capacity - bucket.spent))
        whole_s = math.ceil(bucket.spent / bucket.per_s)
        told = b'"%b";r=%d;t=%d' % (bucket.shelf.name.encode(), left, whole_s)
        return (b"ratelimit", told), (b"ratelimit-policy", bucket.shelf.policy)


FREE = Verdict(None, 0.0)
Asked = Iterable[tuple[Shelf | None, Hashable]]


class Rates:
    """Judges requests; one for the process."""

    def __init__(
        self,
        rates: Mapping[RouteClass, ClassRates] = RATES,
        *,
        subjects_max: int = _SUBJECTS_MAX,
        shared: bool = False,
    ) -> None:
        self.shelves: list[Shelf] = []
        self.untold: dict[Held, None] | None = {} if shared else None
        """Buckets that spent since others were told, in that order; None tells nobody."""
        self._subjects_max = subjects_max
        self._classes = {
            name: (
                self._shelf(f"{name}-account", of.account),
                self._shelf(f"{name}-key", of.key),
                self._shelf(f"{name}-address", of.address),
                self._shelf(f"{name}-local", of.local),
            )
            for name, of in rates.items()
        }

    def take(
        self, principal: Principal | None, ip: str, route_class: RouteClass, now_s: float
    ) -> Verdict:
        """Judge a request; `now_s` is of one monotonic clock. No I/O.

        One that is refused by the bound of its key has spent of its account and address: the wider
        bound counts what was asked, not what was served.
        """
        accounts, keys, addresses, local = self._classes[route_class]
        if principal is None:
            return self._judge(((addresses, whole(ip)),), now_s)
        if principal.local:
            return FREE if local is None else self._judge(((local, principal.key_id),), now_s)
        key_id = principal.key_id
        asked = (
            (addresses, whole(ip)),
            (keys, None if key_id is None else key_id.int),
            (accounts, principal.account_id.int),
        )
        return self._judge(asked, now_s)

    def __len__(self) -> int:
        return sum(len(shelf.buckets) for shelf in self.shelves)

    def _judge(self, asked: Asked, now_s: float) -> Verdict:
        shown: Held | None = None
        for shelf, subject in asked:
            if shelf is not None and subject is not None:
                shown = shelf.bucket(subject)
                if wait_s := self._spend(shown, now_s):
                    return Verdict(shown, wait_s)
        return FREE if shown is None else Verdict(shown, 0.0)

    def _spend(self, bucket: Held, now_s: float) -> float:
        wait_s = bucket.take(1.0, now_s)
        if self.untold is not None and not wait_s:
            bucket.untold += 1.0
            self.untold[bucket] = None
        return wait_s

    def _shelf(self, name: str, rate: Rate | None) -> Shelf | None:
        if rate is None:
            return None
        self.shelves.append(Shelf(name, rate, subjects_max=self._subjects_max))
        return self.shelves[-1]
