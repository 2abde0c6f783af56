"""Whatever is wrong with an account of a pool, of any kind, has a name, and nobody trades on it."""

import struct
from collections.abc import Mapping
from typing import Final

import pytest
from msgspec.structs import replace
from tests.unit.venues import five, ground, minted
from tests.unit.venues.five import BASE, KINDS, QUOTE, SOL, Kind

from quantdesk.chains.port import AccountState
from quantdesk.core.errors import Corrupt, DeskError, Refused, Unavailable
from quantdesk.venues.following import Pools
from quantdesk.venues.mints import SLOTS_PER_EPOCH
from quantdesk.venues.transfer_fee import FREE, TransferFee

_EACH: Final = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
_NEWER: Final = ground.SLOT + 1
_OUT: Final = {"pool.gone", "pool.incomplete"}
_TOKENS: Final = [kind for kind in KINDS if kind.name != "AMM v4"]
"""Those that trade tokens of Token-2022."""
_EACH_2022: Final = pytest.mark.parametrize("kind", _TOKENS, ids=lambda kind: kind.name)
_SIZE: Final = 10**8


def _damages(good: AccountState) -> Mapping[str, tuple[str, AccountState]]:
    return {
        "missing": ("account.missing", ground.missing(good.address)),
        "of another program": ("account.foreign", replace(good, owner=ground.OTHER)),
        "cut short": ("account.unreadable", replace(good, data=good.data[:-1])),
        "too long": ("account.unreadable", replace(good, data=good.data + b"\0")),
        "zeroed": ("account.unreadable", replace(good, data=bytes(len(good.data)))),
    }


def _taken(venue: Pools, state: AccountState) -> str:
    """Hand over a state; return the code it is refused with, if it is."""
    try:
        venue.update(state, seen_ms=1)
    except Corrupt as corrupt:
        return corrupt.code
    return ""


def _told(venue: Pools) -> DeskError | None:
    try:
        pool = ground.one(venue, SOL)
        for paid in (BASE, QUOTE):
            pool.exact_in(paid, _SIZE)
    except DeskError as reason:
        return reason
    return None


def _code(venue: Pools) -> str:
    reason = _told(venue)
    assert reason is not None, "it trades"
    return reason.code


@_EACH
@pytest.mark.parametrize("damage", _damages(AccountState("a", b"data", "o", 1)))
def test_that_a_damaged_account_stops_its_pool_until_it_is_whole_again(
    kind: Kind, damage: str
) -> None:
    spared = 0
    for address in kind.made().accounts():
        venue, good = kind.made(), kind.states.get(address)
        if good is None:
            continue  # a bitmap extension this pool has no need of
        code, bad = _damages(good)[damage]
        if (said := _taken(venue, replace(bad, slot=_NEWER))) == "":
            assert damage == "missing", address  # an empty bin array is not there
            spared += 1
        else:
            assert said == code, address
            # What lies far from the price can be done without.
            assert (reason := _told(venue)) is None or reason.code in _OUT, address
        ground.feed(venue, kind.states, slot=_NEWER + 1)
        assert _told(venue) is None, address
    assert not spared or kind.name == "DLMM"


@_EACH
def test_that_a_pool_whose_own_account_is_damaged_does_not_trade(kind: Kind) -> None:
    for code, bad in _damages(kind.states[kind.address]).values():
        venue = kind.made()
        with pytest.raises(Corrupt) as corrupt:
            venue.update(replace(bad, slot=_NEWER), seen_ms=1)
        assert corrupt.value.code == code
        assert _code(venue) == "pool.gone"


@_EACH
def test_that_a_pool_of_other_decimals_than_listed_is_refused(kind: Kind) -> None:
    if kind.counted:
        others = kind.spoiled(kind.counted)
    else:  # it does not tell: the mint does
        others = {BASE: ground.changed(kind.states[BASE], 44, "<B", 6)}

    reason = _told(kind.made(others))

    assert isinstance(reason, Refused)
    assert reason.code == "decimals.mismatch"
    assert reason.detail.endswith("counts SOL in 6 decimals, the desk in 9")


@_EACH
def test_that_nothing_trades_before_decimals_are_known(kind: Kind) -> None:
    venue = Pools(kind.venue, [kind.follow(kind.address)])
    known = {at: state for at, state in kind.states.items() if at not in (BASE, QUOTE)}
    asked: set[str] = set()
    while wanted := [at for at in venue.accounts() if at in known and at not in asked]:
        for address in wanted:
            venue.update(known[address], seen_ms=1)
            asked.add(address)

    assert (_told(venue) is None) is (kind.counted is not None)
    ground.feed(venue, kind.states)
    assert _told(venue) is None
    assert not {BASE, QUOTE} & set(venue.accounts()), "plain mints are asked once"


@_EACH_2022
def test_that_a_token_2022_mint_of_other_decimals_is_refused(kind: Kind) -> None:
    for decimals in (8, 10):
        made = kind.token_2022(minted.mint(FREE, decimals=decimals))
        assert _code(kind.made(made)) == "decimals.mismatch"
    assert _told(kind.made(kind.token_2022(minted.mint(FREE, decimals=9)))) is None


@_EACH
def test_that_an_empty_pool_has_no_liquidity(kind: Kind) -> None:
    assert _code(kind.made(kind.emptied)) == "liquidity.insufficient"


@_EACH
def test_that_a_pool_that_is_switched_off_or_not_yet_open_says_so(kind: Kind) -> None:
    for places, code in (((kind.disabled,), "pool.disabled"), (kind.opens, "pool.not_open")):
        reason = _told(kind.made(kind.spoiled(*places)))
        assert isinstance(reason, Unavailable)
        assert reason.code == code


@_EACH
def test_that_an_older_state_changes_nothing(kind: Kind) -> None:
    venue = kind.made()
    before = ground.one(venue, SOL).exact_in(BASE, _SIZE)

    for address in venue.accounts():
        older = replace(ground.missing(address), slot=ground.SLOT - 1)
        venue.update(older, seen_ms=10**12)

    assert ground.one(venue, SOL).exact_in(BASE, _SIZE) == before
    assert ground.one(venue, SOL).about.slot == ground.SLOT


_EXTENSIONS: Final = {
    "transfer hook": (minted.HOOK, Refused, "pool.unsupported", "runs a program"),
    "not transferable": (struct.pack("<2H", 9, 0), Refused, "pool.unsupported", "be transferred"),
    "frozen at birth": (struct.pack("<2HB", 6, 1, 2), Refused, "pool.unsupported", "freezes"),
    "paused": (minted.PAUSED, Unavailable, "pool.disabled", "is paused"),
    "of tomorrow": (struct.pack("<2H", 999, 0), Refused, "pool.unsupported", "not known: 999"),
}


@_EACH_2022
@pytest.mark.parametrize("name", _EXTENSIONS)
def test_that_a_mint_whose_transfers_cannot_be_relied_on_is_refused_by_name(
    kind: Kind, name: str
) -> None:
    more, error, code, words = _EXTENSIONS[name]

    reason = _told(kind.made(kind.token_2022(minted.mint(FREE, decimals=9, more=more))))

    assert isinstance(reason, error)
    assert (reason.code, words in reason.detail) == (code, True)


@_EACH_2022
def test_that_a_mint_whose_issuer_may_take_tokens_back_is_traded(kind: Kind) -> None:
    # PYUSD is one: a permanent delegate never changes what a transfer moves.
    delegated = struct.pack("<2H", 12, 32) + bytes(range(32))
    made = kind.token_2022(minted.mint(FREE, decimals=9, more=delegated))
    assert _told(kind.made(made)) is None


@_EACH_2022
def test_that_a_fee_counts_from_the_first_slot_of_its_epoch(kind: Kind) -> None:
    now, later = TransferFee(100, minted.U64_MAX), TransferFee(300, minted.U64_MAX)
    made = kind.token_2022(minted.mint(now, later, since=1, decimals=9))
    venue, plain = kind.made(made), ground.one(kind.made(), SOL)

    def received() -> int:
        return ground.one(venue, SOL).exact_in(BASE, _SIZE).received

    assert received() == plain.exact_in(BASE, now.after(_SIZE)).received
    own = made.get(kind.address, kind.states[kind.address])
    venue.update(replace(own, slot=SLOTS_PER_EPOCH - 1), seen_ms=1)
    assert received() == plain.exact_in(BASE, now.after(_SIZE)).received
    venue.update(replace(own, slot=SLOTS_PER_EPOCH), seen_ms=1)
    assert received() == plain.exact_in(BASE, later.after(_SIZE)).received


def test_that_amm_v4_knows_only_the_older_token_program() -> None:
    kind = KINDS[0]
    assert kind not in _TOKENS
    venue = kind.made()
    with pytest.raises(Corrupt) as corrupt:
        venue.update(replace(kind.token_2022(b"")[kind.vaults[BASE]], slot=_NEWER), seen_ms=1)
    assert corrupt.value.code == "account.foreign"
    assert _code(venue) == "pool.gone"


def test_that_all_five_kinds_are_here() -> None:
    assert [kind.name for kind in KINDS] == ["AMM v4", "CPMM", "CLMM", "DLMM", "DAMM v2"]
    for kind in KINDS:
        pool = ground.one(kind.made(), five.SOL)
        assert pool.about.kind == kind.name
        assert pool.about.slot == ground.SLOT


@_EACH
def test_that_what_is_too_small_is_said_in_words_not_in_base_units(kind: Kind) -> None:
    with pytest.raises(Refused) as refused:
        ground.one(kind.made(), SOL).exact_in(BASE, 1)

    assert refused.value.code == "amount.too_small"
    assert refused.value.detail == "the amount is too small to bring anything"
