"""`Jupiter`: the venues port over quotes that were asked for one size each; pure.

Jupiter routes by itself and tells no curve, so that its pool knows only the sizes it was asked for,
for as long as an answer is worth anything. It sells exact amounts; exact purchases it has none
(https://developers.jup.ag/docs/swap/order-and-execute).
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import inf
from typing import Final, NamedTuple

from quantdesk.chains.port import AccountState, Instruction
from quantdesk.core.errors import DeskError, Refused, Unavailable
from quantdesk.core.money import BPS, ceil_div
from quantdesk.venues.port import About, Fill, Piece, Pool, Swap

NAME: Final = "jupiter"
_KEPT_MAX: Final = 256


class Asked(NamedTuple):
    """A question: exactly `amount` of the mint `paid`, for the mint `received`."""

    paid: str
    received: str
    amount: int


class Told(NamedTuple):
    """What it was answered with.

    `received` is what comes out after what Jupiter takes of it, `impact` how far that moves the
    price, as a fraction, and `lamports` the fees of the network.
    """

    received: int
    fee_bps: int
    impact: Decimal
    lamports: int


@dataclass(frozen=True, slots=True)
class _Answer:
    told: Told | DeskError
    at_ms: int


class Jupiter:
    """Answers of the last `stale_ms`, the newest 256 of them."""

    def __init__(self, *, stale_ms: int = 2_000) -> None:
        self._answers: OrderedDict[Asked, _Answer] = OrderedDict()
        self._stale_ms = stale_ms

    @property
    def name(self) -> str:
        """Return the short name users see."""
        return NAME

    def accounts(self) -> tuple[str, ...]:
        """Return nothing: its answers are asked for, not followed."""
        return ()

    def update(self, state: AccountState, *, seen_ms: int) -> None:
        """Take in nothing."""

    def answered(self, asked: Asked, told: Told | DeskError, *, at_ms: int) -> None:
        """Take in the answer to a question, or what kept it from being answered."""
        self._answers.pop(asked, None)
        self._answers[asked] = _Answer(told, at_ms)
        while len(self._answers) > _KEPT_MAX:
            self._answers.popitem(last=False)

    def pools(self, mints: frozenset[str], *, now_ms: int) -> list[Pool]:
        """Return one pool of a pair that knows the sizes asked lately.

        Raises `Unavailable` (`quotes.none`), or what kept its last question from being answered.
        """
        fresh = [
            (asked, answer)
            for asked, answer in self._answers.items()
            if mints == {asked.paid, asked.received} and now_ms - answer.at_ms <= self._stale_ms
        ]
        known = {asked: one.told for asked, one in fresh if isinstance(one.told, Told)}
        if not known:
            problems = [one.told for _, one in fresh if isinstance(one.told, DeskError)]
            if problems:
                raise type(problems[-1])(problems[-1].detail, code=problems[-1].code)
            raise Unavailable("Jupiter was not asked for this", code="quotes.none")
        asked, answer = next((a, one) for a, one in reversed(fresh) if a in known)
        told = known[asked]
        about = About(
            venue=NAME,
            address=NAME,
            kind="router",
            mints=(asked.paid, asked.received),
            spot=_spot(asked, told),
            compute_units=0,
            slot=0,
            seen_ms=answer.at_ms,
        )
        return [Quoted(about, known)]


@dataclass(frozen=True, slots=True)
class Quoted:
    """What Jupiter said of some sizes of one pair."""

    about: About
    known: Mapping[Asked, Told]

    def curve(self, paid: str) -> Sequence[Piece]:
        """Return the price of the one size known best; nothing is known of any other."""
        sizes = [(asked, told) for asked, told in self.known.items() if asked.paid == paid]
        return [Piece(float(a.amount), t.received / a.amount, inf) for a, t in sizes[-1:]]

    def exact_in(self, paid: str, amount: int) -> Fill:
        """Return the trade of a size it was asked for.

        Raises `Unavailable` (`quotes.none`) for others, `Refused` (`amount.too_small`).
        """
        told = self.known.get(Asked(paid, self._other(paid), amount))
        if told is None:
            raise Unavailable("Jupiter was not asked for this size", code="quotes.none")
        if told.received <= 0:
            raise Refused("the amount is too small to bring anything", code="amount.too_small")
        fee = ceil_div(told.received * told.fee_bps, BPS - told.fee_bps)
        return Fill(amount, told.received, fee, fee_on_input=False)

    def exact_out(self, paid: str, amount: int) -> Fill:  # noqa: ARG002 whatever it is
        """Refuse: raises `Refused` (`pool.unsupported`)."""
        raise Refused("Jupiter only sells exact amounts", code="pool.unsupported")

    def instruction(self, swap: Swap) -> Instruction:
        """Return a call that names nothing but the network's fees: the route is Jupiter's."""
        told = self.known.get(Asked(swap.paid, self._other(swap.paid), swap.amount))
        return Instruction(NAME, (), b"%d" % (told.lamports if told else 0))

    def _other(self, mint: str) -> str:
        one, other = self.about.mints
        return other if mint == one else one


def _spot(asked: Asked, told: Told) -> Decimal:
    """Return the price before impact and fees, as far as Jupiter tells them."""
    gross = Decimal(told.received) * BPS / (BPS - told.fee_bps)
    return gross / asked.amount / (1 - told.impact)
