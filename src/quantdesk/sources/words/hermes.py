"""The words of Pyth's Hermes v2: a message in, prices out, and whether they are proven; pure.

Spoken by `sources/pyth` on the wire and by recordings. A number that cannot be a price is handed on
as it is: the gate refuses it by feed and reason, and the message's other feeds are heard.
Format: https://docs.pyth.network/price-feeds/core/how-pyth-works/hermes (parsed `price` objects).
"""

import binascii
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from quantdesk.core.errors import Corrupt
from quantdesk.core.ticks import Event, Oracle
from quantdesk.sources.words import accumulator
from quantdesk.sources.words.accumulator import Proven
from quantdesk.sources.words.signatures import Attested, Unknown
from quantdesk.sources.words.vaa import Vaa

CURRENCY: Final = "USD"
FEEDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "SOL": "ef0d8b6fda2ceba41da15d4095d1da392a0d2f8ed0c6c7bc0f4cfac8c280b56d",
        "BTC": "e62df6c8b4a85fe1a67db44dc12de5db330f7ac66b72dc658afedf0f4a415b43",
        "ETH": "ff61491a931112ddf1bd8147cd1b641375f79f5825126d665480874634fd0ace",
        "USDT": "2b89b9dc8fdf9f34709a5b106b472f0f39bb6ca9ce04b0fd7f2e971688e2e53b",
        "USDC": "eaa020c61cc479712813461ce153894a96a6c00b21ed0cfc2798d1f9a9e9c94a",
        "PYUSD": "c1da1b73d7f01e7ddd54b3766cf7fcd644395ad14f70aa706ec5384c59e76692",
    }
)
"""Feed of each asset in US dollars: https://docs.pyth.network/price-feeds/core/price-feeds"""

SYMBOLS: Final[Mapping[str, str]] = MappingProxyType({feed: name for name, feed in FEEDS.items()})

_MS: Final = 1000
_I64 = Annotated[int, Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
_Power = Annotated[int, Meta(ge=-1000, le=1000)]


class Quoted(msgspec.Struct, frozen=True, gc=False):
    """A price and its confidence as integers times 10^expo; `publish_time` in Unix seconds."""

    price: _I64
    conf: int
    expo: _Power
    publish_time: _I64


class Metadata(msgspec.Struct, frozen=True, gc=False):
    """Where the update stands among its kind; Hermes may leave any of it out."""

    slot: _I64 | None = None


class Update(msgspec.Struct, frozen=True, gc=False):
    """One feed's latest price."""

    id: str
    price: Quoted
    metadata: Metadata | None = None

    @property
    def slot(self) -> int:
        """Return the Pythnet slot, zero when the message names none."""
        return (self.metadata.slot if self.metadata else None) or 0

    @property
    def key(self) -> "Key":
        """Return what tells it from any other update."""
        said = self.price
        return self.id, said.publish_time, self.slot, said.price, said.conf


Key = tuple[str, int, int, int, int]


class Binary(msgspec.Struct, frozen=True):
    """The same updates in the form that goes on chain."""

    encoding: Literal["hex", "base64"]
    data: list[str]


class _Message(msgspec.Struct, frozen=True):
    parsed: list[Update]


class _Whole(msgspec.Struct, frozen=True):
    parsed: list[Update]
    binary: Binary | None = None


class Proof(StrEnum):
    """What the binary beside a parsed price says of it."""

    PROVEN = "proven"
    """The same price, confidence, time and slot, under a root that enough of its signers signed."""
    UNKNOWN_SIGNERS = "unknown_signers"
    """The same, under a root signed by a set of signers this desk does not know: not proven."""
    MERKLE = "merkle"
    """The same, under the root that its VAA carries; who signed that was not looked at."""
    ABSENT = "absent"
    """Nothing: there is no binary, or it does not hold the feed."""
    INVALID = "invalid"
    """Another price, or the proof or the signatures do not hold."""


class Told(msgspec.Struct, frozen=True):
    """A word on a price, and a sentence that says what holds or why not."""

    proof: Proof
    says: str


Attest = Callable[[Vaa], Attested | Unknown]
"""Says by whom a VAA is signed; raises `Corrupt` (`proof.invalid`)."""


# Not strict: Hermes writes price and conf as strings of digits.
_MESSAGE = msgspec.json.Decoder(_Message, strict=False)
_WHOLE = msgspec.json.Decoder(_Whole, strict=False)


def updates(message: bytes) -> list[Update]:
    """Return the updates in a Hermes message; raise `Corrupt` when it is not one."""
    try:
        return _MESSAGE.decode(message).parsed
    except ValueError as problem:
        raise _unreadable(problem) from problem


def read(data: bytes, feed: str) -> Sequence[Event]:  # noqa: ARG001 - all connections speak alike
    """Return what a message says of known feeds; raise `Corrupt` (`message.unreadable`)."""
    return [
        Oracle(
            symbol=symbol,
            currency=CURRENCY,
            price=said.price.price,
            confidence=said.price.conf,
            exponent=said.price.expo,
            event_ms=said.price.publish_time * _MS,
            order=said.slot,
        )
        for said in updates(data)
        if (symbol := SYMBOLS.get(said.id)) is not None
    ]


def check(data: bytes, symbols: Iterable[str]) -> dict[str, Proof]:
    """Return what the Merkle proofs of a message say of each asset's parsed price.

    Takes about 3 ms an asset: for the few prices that something is decided by, not for every one.
    Signatures are not looked at, so that nothing is `PROVEN` here. Raises `Corrupt`
    (`message.unreadable`).
    """
    whole = _decoded(data)
    return {symbol: _checked(whole, symbol) for symbol in symbols}


def verified(data: bytes, feed: str) -> Proven:
    """Return a feed's price in a message as its binary proves it, equal to the parsed one.

    Who signed the binary is not verified: that is `prove`. Raises `Corrupt`:
    `proof.absent` when the message holds no binary or nothing of the feed, `proof.invalid` when the
    proof does not hold or proves another price, `message.unreadable`.
    """
    return _verified(_decoded(data), feed)


def prove(data: bytes, symbol: str, attest: Attest) -> Told:
    """Return what a message proves of an asset's parsed price: its Merkle proof and its signers.

    Takes as long as `attest`; raises nothing.
    """
    try:
        found = _verified(_decoded(data), FEEDS.get(symbol, ""))
        by = attest(found.vaa)
    except Corrupt as problem:
        return Told(_VERDICTS[problem.code], problem.detail)
    if isinstance(by, Unknown):
        return Told(Proof.UNKNOWN_SIGNERS, f"the Merkle proof holds; signed by {by}")
    if by.until_s is not None and found.publish_time > by.until_s:
        return Told(
            Proof.INVALID, f"the price was published after {by.network} set {by.set_index} retired"
        )
    return Told(Proof.PROVEN, f"the Merkle proof holds; signed by {by}")


def _checked(whole: _Whole, symbol: str) -> Proof:
    try:
        _verified(whole, FEEDS.get(symbol, ""))
    except Corrupt as problem:
        return _VERDICTS[problem.code]
    return Proof.MERKLE


def _verified(whole: _Whole, feed: str) -> Proven:
    parsed = [update for update in whole.parsed if update.id == feed]
    found = _proven(whole.binary, feed) if parsed else None
    if found is None:
        raise Corrupt(f"the message proves nothing of feed {feed}", code="proof.absent")
    for update in parsed:
        said = update.price
        if _numbers(said) != _numbers(found):
            raise _refuted(
                f"feed {feed} says price, conf, expo and time {_numbers(said)},"
                f" its binary {_numbers(found)}"
            )
        if update.slot not in {0, found.slot}:
            raise _refuted(f"feed {feed} is of slot {update.slot}, its binary of {found.slot}")
    return found


def _numbers(of: Quoted | Proven) -> tuple[int, int, int, int]:
    return of.price, of.conf, of.expo, of.publish_time


def _proven(binary: Binary | None, feed: str) -> Proven | None:
    if binary is None:
        return None
    for text in binary.data:
        found = accumulator.proven(accumulator.read(_bytes(text, binary.encoding)), feed)
        if found is not None:
            return found
    return None


def _bytes(text: str, encoding: str) -> bytes:
    try:
        if encoding == "hex":
            return bytes.fromhex(text)
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError as problem:  # binascii.Error is one, and so is text that is not ASCII
        raise _refuted(f"the binary is not {encoding}: {problem}") from problem


def _decoded(data: bytes) -> _Whole:
    try:
        return _WHOLE.decode(data)
    except ValueError as problem:
        raise _unreadable(problem) from problem


_VERDICTS: Final = {
    "proof.absent": Proof.ABSENT,
    "proof.invalid": Proof.INVALID,
    "message.unreadable": Proof.INVALID,
}


def _refuted(why: str) -> Corrupt:
    return Corrupt(why, code="proof.invalid")


def _unreadable(problem: ValueError) -> Corrupt:  # msgspec's errors are, and what UTF-8 is not
    return Corrupt(f"not a Hermes message: {problem}", code="message.unreadable")
