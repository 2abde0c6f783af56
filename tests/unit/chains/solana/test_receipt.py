"""A receipt holds what the trade moved, exactly: never rent, never the network fee."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.chains.port import Receipt, Trade
from quantdesk.chains.solana import keys
from quantdesk.chains.solana.receipt import receipt
from quantdesk.core.assets import ASSETS
from quantdesk.core.errors import Corrupt, DeskError, Unavailable
from quantdesk.core.markets import Side

WALLET = keys.wallet("7fUAJdStEuGbc3sM84cKRL6yYaaSstyLSU4ve5oovLS7")
RENT = 2_039_280
POOL = "11111111111111111111111111111112"
KEYS = [WALLET.address, *WALLET.token_accounts.values(), POOL]
ONE, OTHER = len(KEYS), len(KEYS) + 1  # where a test's vaults come
AT = {symbol: KEYS.index(account) for symbol, account in WALLET.token_accounts.items()}
RAW = st.integers(1, 2**62)
FEE = st.integers(5_000, 10**9)


def _held(symbol: str, amount: int) -> dict[str, Any]:
    return {
        "accountIndex": AT[symbol],
        "mint": ASSETS[symbol].mint,
        "uiTokenAmount": {"amount": str(amount), "decimals": 6, "uiAmount": 0.5},
    }


def _answer(**meta: object) -> dict[str, Any]:
    return {
        "slot": 77,
        "blockTime": 1_700_000_000,
        "transaction": {"signatures": ["sig"], "message": {"accountKeys": KEYS}},
        "meta": {
            "err": None,
            "fee": 5_000,
            "preBalances": [10**10, *[RENT] * (len(KEYS) - 1)],
            "postBalances": [10**10 - 5_000, *[RENT] * (len(KEYS) - 1)],
            "preTokenBalances": [],
            "postTokenBalances": [],
            **meta,
        },
    }


def _trade(side: Side, base: str, quote: str, base_raw: int, limit: int) -> Trade:
    return Trade(side, ASSETS[base], ASSETS[quote], base_raw, limit, "qd:1:1")


def _read(answer: object, trade: Trade) -> Receipt:
    return receipt(
        msgspec.json.encode(answer), trade=trade, wallet=WALLET, signature="sig", now_ms=5
    )


SELL = _trade(Side.SELL, "BTC", "USDC", 30, 900)
SOLD = _answer(
    preTokenBalances=[_held("BTC", 100), _held("USDC", 1_000)],
    postTokenBalances=[_held("BTC", 70), _held("USDC", 2_000)],
)


def test_reads_what_a_sale_gave_and_brought() -> None:
    assert _read(SOLD, SELL) == Receipt(77, 30, 1_000, 5_000, 1_700_000_000_000)


@given(held=RAW, base=RAW, quote=RAW, had=st.integers(0, 2**62), fee=FEE)
def test_measures_tokens_exactly(held: int, base: int, quote: int, had: int, fee: int) -> None:
    answer = _answer(
        fee=fee,
        preTokenBalances=[_held("USDC", held + quote), *([_held("BTC", had)] if had else [])],
        postTokenBalances=[_held("BTC", had + base), _held("USDC", held)],
    )

    found = _read(answer, _trade(Side.BUY, "BTC", "USDC", base, quote))

    assert (found.base_raw, found.quote_raw, found.network_fee_lamports) == (base, quote, fee)


@given(
    base=RAW,
    quote=RAW,
    fee=FEE,
    wrapped=st.integers(0, 10**12),
    opens_wrapped=st.booleans(),
    opens_quote=st.booleans(),
    side=st.sampled_from(Side),
)
def test_measures_sol_without_rent_and_fee(
    *,
    base: int,
    quote: int,
    fee: int,
    wrapped: int,
    opens_wrapped: bool,
    opens_quote: bool,
    side: Side,
) -> None:
    sign = 1 if side is Side.BUY else -1
    lamports = {"wallet": 2**63, "wrapped": 0 if opens_wrapped else RENT + wrapped}
    before = [lamports["wallet"], *[RENT] * (len(KEYS) - 1)]
    before[AT["SOL"]] = lamports["wrapped"]
    before[AT["USDC"]] = 0 if opens_quote else RENT
    after = list(before)
    after[AT["SOL"]] = 0  # closed into the wallet
    after[AT["USDC"]] = RENT
    after[0] += before[AT["SOL"]] + before[AT["USDC"]] - RENT - fee + sign * base
    usdc = (2**62, 2**62 - sign * quote)
    answer = _answer(
        fee=fee,
        preBalances=before,
        postBalances=after,
        preTokenBalances=[_held("USDC", usdc[0])],
        postTokenBalances=[_held("USDC", usdc[1])],
    )

    found = _read(answer, _trade(side, "SOL", "USDC", base, quote))

    assert (found.base_raw, found.quote_raw, found.network_fee_lamports) == (base, quote, fee)


def test_takes_its_own_time_when_the_block_has_none() -> None:
    assert _read({**SOLD, "blockTime": None}, SELL).block_time_ms == 5


def test_waits_for_a_node_that_has_not_recorded_it() -> None:
    with pytest.raises(Unavailable) as caught:
        _read(None, SELL)

    assert caught.value.code == "receipt.pending"


def _with(**meta: object) -> dict[str, Any]:
    return {**SOLD, "meta": {**SOLD["meta"], **meta}}


ABSURD: dict[str, dict[str, Any]] = {
    "failed": _with(err={"InstructionError": [0, {"Custom": 1}]}),
    "another transaction": {**SOLD, "transaction": {**SOLD["transaction"], "signatures": ["x"]}},
    "no signatures": {**SOLD, "transaction": {**SOLD["transaction"], "signatures": []}},
    "another payer": {
        **SOLD,
        "transaction": {"signatures": ["sig"], "message": {"accountKeys": KEYS[::-1]}},
    },
    "fewer balances than accounts": _with(postBalances=[1]),
    "no token balances": _with(preTokenBalances=None),
    "nothing moved": _with(postTokenBalances=SOLD["meta"]["preTokenBalances"]),
    "paid the wrong way": _with(
        preTokenBalances=SOLD["meta"]["postTokenBalances"],
        postTokenBalances=SOLD["meta"]["preTokenBalances"],
    ),
    "gave more than asked": _with(postTokenBalances=[_held("BTC", 69), _held("USDC", 2_000)]),
    "brought less than the limit": _with(
        postTokenBalances=[_held("BTC", 70), _held("USDC", 1_899)]
    ),
    "another token in the account": _with(
        preTokenBalances=[{**_held("BTC", 100), "mint": POOL}, _held("USDC", 1)]
    ),
    "a balance of no account": _with(preTokenBalances=[{**_held("BTC", 100), "accountIndex": 99}]),
    "an amount that is none": _with(
        preTokenBalances=[{**_held("BTC", 1), "uiTokenAmount": {"amount": "-5"}}]
    ),
}


@pytest.mark.parametrize("name", ABSURD)
def test_calls_what_cannot_be_corrupt(name: str) -> None:
    with pytest.raises(Corrupt) as caught:
        _read(ABSURD[name], SELL)

    assert caught.value.code == "receipt.absurd"


def test_accepts_a_sale_at_its_very_limit() -> None:
    answer = _with(postTokenBalances=[_held("BTC", 70), _held("USDC", 1_900)])

    assert _read(answer, SELL).quote_raw == 900


@pytest.mark.parametrize("missing", ["slot", "transaction", "meta"])
def test_calls_a_partial_answer_corrupt(missing: str) -> None:
    partial = {key: value for key, value in SOLD.items() if key != missing}

    with pytest.raises(Corrupt) as caught:
        _read(partial, SELL)

    assert caught.value.code == "receipt.unreadable"


@given(st.binary(max_size=30) | st.sampled_from([b"{}", b"[]", b"7", b'"x"', b"[" * 9_999]))
def test_lets_nothing_but_desk_errors_out(answer: bytes) -> None:
    with pytest.raises(DeskError):
        receipt(answer, trade=SELL, wallet=WALLET, signature="sig", now_ms=5)


def _moved(at: int, symbol: str, before: int, after: int) -> tuple[dict[str, Any], dict[str, Any]]:
    def held(amount: int) -> dict[str, Any]:
        told = {"amount": str(amount)}
        return {"accountIndex": at, "mint": ASSETS[symbol].mint, "uiTokenAmount": told}

    return held(before), held(after)


@pytest.mark.parametrize(("calls", "parts"), [
    ([[0, 1, ONE], [], [OTHER, 0]], (30, 12)),
    ([[OTHER], [ONE, ONE]], (12, 30)),
    ([[ONE, OTHER]], (42,)),
    ([[ONE]], ()),
    ([], ()),
])  # fmt: skip
def test_tells_what_each_call_moved_where_the_parts_add_up(
    calls: list[list[int]], parts: tuple[int, ...]
) -> None:
    at = AT["USDC"]
    changes = [
        _moved(at, "USDC", 100, 58), _moved(ONE, "USDC", 1_000, 1_030),
        _moved(OTHER, "USDC", 50, 62), _moved(AT["BTC"], "BTC", 0, 5),
    ]  # fmt: skip
    answer = _answer(
        preBalances=[10**10, *[RENT] * (len(KEYS) + 1)],
        postBalances=[10**10 - 5_000, *[RENT] * (len(KEYS) + 1)],
        preTokenBalances=[before for before, _ in changes],
        postTokenBalances=[after for _, after in changes],
    )
    answer["transaction"]["message"] = {
        "accountKeys": [*KEYS, "one", "other"],
        "instructions": [{"accounts": accounts} for accounts in calls],
    }

    found = _read(answer, _trade(Side.BUY, "BTC", "USDC", 5, 42))

    assert (found.quote_raw, found.legs_quote_raw) == (42, parts)
