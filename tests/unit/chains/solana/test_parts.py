"""What each call moved is found to the base unit, or nothing is said."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.chains.solana import keys, parts
from quantdesk.chains.solana.answers import TokenBalance
from quantdesk.core.assets import ASSETS

WALLET = keys.wallet("7fUAJdStEuGbc3sM84cKRL6yYaaSstyLSU4ve5oovLS7")
OWN = WALLET.token_accounts["USDC"]
QUOTE, OTHER = ASSETS["USDC"], ASSETS["BTC"]
RAW = st.integers(1, 2**62)


def _held(at: int, amount: object, mint: str = QUOTE.mint) -> TokenBalance:
    told = {"accountIndex": at, "mint": mint, "uiTokenAmount": {"amount": str(amount)}}
    return msgspec.convert(told, TokenBalance)


def _outside(before: Sequence[TokenBalance], after: Sequence[TokenBalance]) -> list[int]:
    names = [WALLET.address, OWN, "vault", "other vault"]
    return parts.outside((before, after), asset=QUOTE, wallet=WALLET, keys=names)


def test_counts_what_accounts_outside_the_wallet_gained() -> None:
    before = [_held(1, 100), _held(2, 50), _held(3, 7)]
    after = [_held(1, 70), _held(2, 80)]  # the other vault is closed

    assert _outside(before, after) == [0, 0, 30, -7]


@pytest.mark.parametrize(
    "odd",
    [_held(2, 5, OTHER.mint), _held(4, 5), _held(-1, 5), _held(2, "-5"), _held(2, "٣")],
    ids=["another token", "no account", "before the first", "no amount", "no digits"],
)
def test_counts_nothing_that_is_no_amount_of_the_asset(odd: TokenBalance) -> None:
    assert _outside([], [odd]) == [0, 0, 0, 0]


def test_counts_nothing_where_nothing_is_told() -> None:
    assert parts.outside((None, None), asset=QUOTE, wallet=WALLET, keys=["a"]) == [0]


@given(
    st.lists(st.tuples(RAW, st.integers(0, 2)), min_size=1, max_size=6), st.sampled_from([1, -1])
)
def test_tells_each_call_its_part(told: list[tuple[int, int]], sign: int) -> None:
    """Give each call a vault of its own, among accounts that all share and calls that move none."""
    gained, calls = [0], []
    for raw, idle in told:
        calls += [[0]] * idle
        calls.append([0, len(gained)])
        gained.append(sign * raw)

    total = -sum(gained)

    assert parts.by_call(gained, calls, total=total) == tuple(raw for raw, _ in told)
    assert parts.by_call(gained, calls, total=total + 1) == (), "they must add up"
    assert parts.by_call(gained, [*calls, [1]], total=total) == (), "a shared vault counts twice"


@given(RAW, RAW)
def test_says_nothing_of_calls_that_point_in_two_directions(paid: int, received: int) -> None:
    gained = [paid, -received]

    assert parts.by_call(gained, [[0], [1]], total=received - paid) == ()


def test_a_call_may_name_its_vault_twice_and_accounts_nobody_told_of() -> None:
    assert parts.by_call([5], [[0, 0, 9]], total=-5) == (5,)
