"""A simulation is read to the base unit, and a trade that does worse than quoted is not signed."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.chains.port import Trade
from quantdesk.chains.solana import keys, simulated
from quantdesk.chains.solana.answers import SimulationResult
from quantdesk.chains.solana.simulated import Holding, Moved
from quantdesk.core.assets import ASSETS
from quantdesk.core.errors import Unavailable
from quantdesk.core.markets import Side

WALLET = keys.wallet("7fUAJdStEuGbc3sM84cKRL6yYaaSstyLSU4ve5oovLS7")
OWN = WALLET.token_accounts
KEYS = [WALLET.address, OWN["SOL"], OWN["USDC"], OWN["BTC"], "pool"]
FEE = 5_000


def _trade(side: Side, base: str, quote: str, expected: int = 0) -> Trade:
    return Trade(side, ASSETS[base], ASSETS[quote], 1, 1, "qd:1:1", expected)


def _row(index: int, amount: object) -> dict[str, object]:
    return {"accountIndex": index, "mint": "m", "uiTokenAmount": {"amount": amount}}


def _result(**said: object) -> SimulationResult:
    told = {
        "preBalances": [900, 0, 5, 0, 7],
        "postBalances": [400, 0, 5, 3, 7],
        "preTokenBalances": [_row(2, "70"), _row(4, "1000")],
        "postTokenBalances": [_row(2, "30"), _row(3, "12"), _row(4, "1040")],
        **said,
    }
    return msgspec.convert(told, SimulationResult)


def test_reads_what_each_account_held() -> None:
    found = simulated.told(_result(), KEYS)

    assert found is not None
    before, after = found
    assert before[WALLET.address] == Holding(900, 0)
    assert (before[OWN["BTC"]], after[OWN["BTC"]]) == (Holding(0, 0), Holding(3, 12))
    assert (before[OWN["USDC"]], after[OWN["USDC"]]) == (Holding(5, 70), Holding(5, 30))


@pytest.mark.parametrize(
    "said",
    [
        {"preBalances": None},
        {"postBalances": None},
        {"preTokenBalances": None},
        {"postTokenBalances": None},
        {"postBalances": [1, 2]},
        {"postTokenBalances": [_row(2, "-3")]},
        {"postTokenBalances": [_row(2, "1.5")]},
        {"postTokenBalances": [_row(2, "٣")]},
    ],
)
def test_reads_nothing_from_what_does_not_fit(said: dict[str, object]) -> None:
    assert simulated.told(_result(**said), KEYS) is None


@pytest.mark.parametrize(
    ("trade", "lamports", "tokens", "moved"),
    [
        (
            _trade(Side.BUY, "BTC", "USDC"),
            {WALLET.address: (9_000, 4_000)},
            {"BTC": (3, 15), "USDC": (70, 30)},
            Moved(12, 40),
        ),
        (
            _trade(Side.SELL, "BTC", "USDC"),
            {WALLET.address: (9_000, 4_000)},
            {"BTC": (15, 3), "USDC": (0, 40)},
            Moved(12, 40),
        ),
        (
            _trade(
                Side.SELL, "SOL", "USDC"
            ),  # rent of a new account stays in the wallet's accounts
            {WALLET.address: (90_000, 50_000), OWN["USDC"]: (0, 20_000)},
            {"USDC": (0, 40)},
            Moved(15_000, 40),
        ),
        (
            _trade(Side.BUY, "SOL", "USDC"),
            {WALLET.address: (90_000, 100_000), OWN["SOL"]: (2_000, 0)},
            {"USDC": (40, 0)},
            Moved(13_000, 40),
        ),
        (
            _trade(Side.SELL, "BTC", "USDC"),
            {WALLET.address: (9_000, 4_000)},
            {"BTC": (3, 3), "USDC": (50, 40)},
            Moved(0, -10),
        ),
    ],
)
def test_measures_a_trade_without_its_network_fee(
    trade: Trade,
    lamports: dict[str, tuple[int, int]],
    tokens: dict[str, tuple[int, int]],
    moved: Moved,
) -> None:
    held = {OWN[symbol]: both for symbol, both in tokens.items()}
    before, after = (
        {
            key: Holding(lamports.get(key, (0, 0))[at], held.get(key, (0, 0))[at])
            for key in {*lamports, *held}
        }
        for at in (0, 1)
    )

    assert simulated.moved(trade, WALLET, (before, after), fee=FEE) == moved


@pytest.mark.parametrize(
    ("side", "quote", "refused"),
    [
        (Side.SELL, 99_750, False),
        (Side.SELL, 99_749, True),
        (Side.SELL, 200_000, False),
        (Side.SELL, -1, True),
        (Side.BUY, 100_250, False),
        (Side.BUY, 100_251, True),
        (Side.BUY, 1, False),
    ],
)
def test_refuses_what_is_worse_than_quoted_by_more_than_the_bound(
    side: Side, quote: int, *, refused: bool
) -> None:
    trade = _trade(side, "SOL", "USDC", 100_000)
    try:
        simulated.check(trade, Moved(1, quote), deviation_bps=25)
        code = ""
    except Unavailable as problem:
        code = problem.code

    assert code == ("quote.deviates" if refused else "")


def test_says_by_how_much() -> None:
    trade = _trade(Side.SELL, "SOL", "USDC", 150_000_000)

    with pytest.raises(Unavailable) as caught:
        simulated.check(trade, Moved(1, 149_000_000), deviation_bps=25)

    assert caught.value.detail == (
        "The trade would receive 149 USDC; its quote said 150, 66 bps better."
    )


@given(st.sampled_from(Side), st.integers(-(10**12), 10**12))
def test_checks_nothing_where_nothing_was_expected(side: Side, quote: int) -> None:
    simulated.check(_trade(side, "SOL", "USDC"), Moved(1, quote), deviation_bps=0)


def _owned(index: int, mint: str, amount: str, owner: str | None) -> dict[str, object]:
    return {
        "accountIndex": index, "mint": mint, "owner": owner, "uiTokenAmount": {"amount": amount},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "lost"),
    [
        ([("USDT", "70")], [("USDT", "30")], {"USDT": 40}),
        ([("USDT", "70")], [], {"USDT": 70}),
        ([("USDT", "70"), ("USDT", "5")], [("USDT", "75"), ("USDT", "0")], {}),
        ([("USDT", "30")], [("USDT", "70")], {}),
        ([("USDC", "70"), ("BTC", "9")], [("USDC", "0"), ("BTC", "0")], {}),
    ],
)
def test_tells_what_is_lost_of_assets_that_are_not_traded(
    before: list[tuple[str, str]], after: list[tuple[str, str]], lost: dict[str, int]
) -> None:
    def rows(held: list[tuple[str, str]], owner: str) -> list[dict[str, object]]:
        return [
            _owned(at, ASSETS[symbol].mint, amount, owner)
            for at, (symbol, amount) in enumerate(held)
        ]

    same = {"preBalances": [9, 0, 5, 0, 7], "postBalances": [9, 0, 5, 0, 7]}
    for owner, expected in ((WALLET.address, lost), ("somebody else", {})):
        said = _result(
            **same, preTokenBalances=rows(before, owner), postTokenBalances=rows(after, owner)
        )
        holdings = simulated.told(said, KEYS)
        assert holdings is not None
        found = simulated.lost(said, _trade(Side.SELL, "BTC", "USDC"), WALLET, holdings)
        assert found == {ASSETS[symbol].mint: raw for symbol, raw in expected.items()}


def test_tells_of_an_account_that_is_given_away() -> None:
    mint = ASSETS["USDT"].mint
    said = _result(
        preTokenBalances=[_owned(2, mint, "70", WALLET.address)],
        postTokenBalances=[_owned(2, mint, "70", "somebody else")],
    )
    holdings = simulated.told(said, KEYS)
    assert holdings is not None

    found = simulated.lost(said, _trade(Side.SELL, "SOL", "USDC"), WALLET, holdings)
    assert found == {mint: 70}
