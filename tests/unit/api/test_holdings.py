"""What a wallet holds is told at sign-in, and what it is worth, exactly; never at its cost."""

import asyncio
from collections.abc import Mapping
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.access.wallets.model import ChainName
from quantdesk.api.sign_in import holdings
from quantdesk.api.sign_in.holdings import Holdings, portfolio
from quantdesk.core.errors import Corrupt, DeskError, Refused, Unavailable

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def test_values_add_up_before_they_are_rounded() -> None:
    amounts = {"SOL": Decimal("0.001"), "USDC": Decimal("0.004"), "USDT": Decimal("0.004")}
    prices = {"SOL": Decimal(3), "USDC": Decimal(1), "USDT": Decimal(1)}

    told = portfolio(amounts, prices)

    assert told.value_usd == "0.01"
    assert [asset.value_usd for asset in told.assets] == ["0.00", "0.00", "0.00"]
    assert told.unpriced == []


@given(
    st.dictionaries(
        st.sampled_from(["SOL", "USDC", "BTC"]),
        st.tuples(
            st.integers(min_value=0, max_value=2**64 - 1),
            st.none() | st.integers(min_value=1, max_value=10**9),
        ),
    )
)
def test_a_portfolio_is_the_sum_of_what_has_a_price(
    held: Mapping[str, tuple[int, int | None]],
) -> None:
    amounts = {symbol: Decimal(raw).scaleb(-9) for symbol, (raw, _) in held.items()}
    prices = {
        symbol: None if price is None else Decimal(price) for symbol, (_, price) in held.items()
    }

    told = portfolio(amounts, prices)

    exact = sum(raw * (price or 0) for raw, price in held.values())
    assert abs(Decimal(told.value_usd) * 10**9 - exact) <= 10**9 // 200
    assert {asset.symbol for asset in told.assets} == {
        name for name, (raw, _) in held.items() if raw
    }
    assert set(told.unpriced) == {n for n, (raw, price) in held.items() if raw and price is None}


@pytest.mark.parametrize(
    "problem",
    [Unavailable("away", code="rpc.unavailable"), Refused("no", code="rpc.method"), Corrupt("odd")],
)
async def test_a_chain_that_fails_leaves_a_note(problem: DeskError) -> None:
    async def read(_: str) -> Mapping[str, int]:
        raise problem

    told = await Holdings(readers={ChainName.SOLANA: read}, price=lambda _: None).of(
        ChainName.SOLANA, "address"
    )

    assert (told.balances, told.portfolio) == (None, None)
    assert problem.detail in (told.note or "")


async def test_a_chain_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async def read(_: str) -> Mapping[str, int]:
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")

    monkeypatch.setattr(holdings, "_CHAIN_S", 0.01)
    told = await Holdings(readers={ChainName.EVM: read}, price=lambda _: None).of(
        ChainName.EVM, "address"
    )

    assert (told.balances, told.portfolio) == (None, None)
    assert told.note == "the chain did not answer within 0.01 s"
