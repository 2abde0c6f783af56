"""The wall: a process that talks to clients loads nothing that opens a wallet (contract 9, run)."""

import subprocess
import sys

import pytest

from quantdesk.chains.port import Trade, Wallet
from quantdesk.chains.solana.chain import Solana
from quantdesk.chains.solana.rpc import Rpc
from quantdesk.core.assets import ASSETS
from quantdesk.core.clock import SystemClock
from quantdesk.core.errors import Refused
from quantdesk.core.markets import Side

_KEYS = {
    "quantdesk.app.wallets",
    "quantdesk.chains.binance.signing",
    "quantdesk.chains.solana.keystore",
    "quantdesk.chains.solana.sealed",
    "quantdesk.chains.solana.vault",
    "quantdesk.localnet.process",
}


def loaded(*modules: str) -> set[str]:
    """Return which of the modules that open wallets a process has loaded."""
    code = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout
    return _KEYS & set(said.split())


def test_that_an_api_process_loads_nothing_that_opens_a_wallet() -> None:
    # What `run api` loads, with all that is loaded late.
    assert loaded("quantdesk.cli.root", "quantdesk.app.api", "quantdesk.app.wide") == set()


def test_that_the_look_sees_it_where_it_is() -> None:
    assert "quantdesk.chains.solana.keystore" in loaded("quantdesk.app.worker")
    assert "quantdesk.chains.solana.vault" in loaded("quantdesk.app.cluster")


@pytest.mark.anyio
async def test_that_a_chain_without_a_key_signs_nothing_and_asks_nobody() -> None:
    wallet = Wallet("wallet", dict.fromkeys(ASSETS, "account"))
    async with Rpc(url="http://127.0.0.1:1") as rpc:  # nobody is there
        chain = Solana(rpc=rpc, keypair=None, wallet=wallet, clock=SystemClock())
        trade = Trade(
            side=Side.SELL, base=ASSETS["SOL"], quote=ASSETS["USDC"], base_raw=1,
            quote_limit_raw=1, memo="qd:none:1",
        )  # fmt: skip
        with pytest.raises(Refused) as refused:
            await chain.prepare(trade, [])
    assert refused.value.code == "wallet.elsewhere"
