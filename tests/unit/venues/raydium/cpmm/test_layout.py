"""CPMM accounts are read as the program writes them, or refused."""

import pytest
from tests.unit.venues import ground
from tests.unit.venues.raydium.cpmm import world
from tests.unit.venues.raydium.cpmm.world import DEPTH_USD, POOL, SOL

from quantdesk.core.errors import Corrupt
from quantdesk.localnet import raydium_pools
from quantdesk.venues.raydium.cpmm import layout
from quantdesk.venues.reading import TOKEN_PROGRAM


@pytest.mark.parametrize(
    ("mode", "token", "on_input"),
    [(0, 0, True), (0, 1, True), (1, 0, True), (1, 1, False), (2, 0, False), (2, 1, True)],
)
def test_that_the_creators_fee_is_in_the_token_the_pool_names(
    mode: int, token: int, *, on_input: bool
) -> None:
    pool = layout.pool(ground.changed(world.genesis()[POOL], 389, "<BB", mode, 1).data)
    assert pool.creator_on_input(token) is on_input


@pytest.mark.parametrize(("offset", "values"), [(12, (999_500, 0)), (20, (600_000, 500_000))])
def test_that_impossible_fee_rates_are_corrupt(offset: int, values: tuple[int, int]) -> None:
    config = world.genesis()[world.layout_of().config]
    spoiled = ground.changed(ground.changed(config, offset, "<2Q", *values), 108, "<Q", 500)
    with pytest.raises(Corrupt) as corrupt:
        layout.config(spoiled.data)
    assert corrupt.value.code == "account.unreadable"


def test_that_an_unknown_creator_fee_mode_is_corrupt() -> None:
    with pytest.raises(Corrupt) as corrupt:
        layout.pool(ground.changed(world.genesis()[POOL], 389, "<B", 3).data)
    assert corrupt.value.code == "account.unreadable"


def test_that_genesis_pools_stand_where_the_real_ones_would() -> None:
    accounts = raydium_pools.accounts(
        SOL, price=ground.price(SOL), depth_usd=DEPTH_USD, usd=ground.USD
    )
    by_address = {account.address: account for account in accounts}
    # Config 0 of mainnet: https://docs.raydium.io (fee tier 0.25 %)
    config = by_address["D4FPEruKEHrG5TenZ2mpDGEfu1iUvTiqBxvpU8HLBvC2"]
    assert layout.config(config.data) == layout.Config(2_500, 120_000, 40_000, 0)
    assert layout.AUTHORITY == "GpMZbSM2GgvTKHJirzeGfMFoaZ8UR2X7F4v8vHTvxFbL"
    vault = by_address[world.vaults(SOL)[0]]
    assert vault.lamports == 2_039_280 + 20_000 * 10**9  # wrapped SOL is backed by lamports
    assert {account.owner for account in accounts} == {layout.PROGRAM, TOKEN_PROGRAM}
