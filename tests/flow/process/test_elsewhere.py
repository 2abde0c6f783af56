"""Modes devnet and mainnet: a desk on somebody's node, with a wallet and walls of its own.

The node is a localnet that runs by itself: to the desk it is a JSON-RPC like any other.
"""

import asyncio
import json
import shutil
import stat
from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path

import pytest
from tests.flow.process.conftest import Desks
from tests.flow.process.outside import Chain, Outside, chain, ends, outside, unlock
from tests.flow.process.running import Process, desk, homes

from quantdesk.app.unlocking import Wish, ask
from quantdesk.testing.binance import LOST

PASSPHRASE = "a horse that nobody staples"
BUY = {"pair": "SOL-USDC", "amount": 1, "direction": "BUY"}
CHEAP, DEAR = ("147", "148"), ("155", "156")
"""Quotes of the exchange; pools trade at about 150."""


@pytest.fixture(scope="module")
def node() -> Iterator[Chain]:
    with homes() as folder, chain(folder / "chain") as started:
        yield started


@pytest.fixture(scope="module")
def others() -> Iterator[Outside]:
    with outside() as opened:
        yield opened


@pytest.fixture
def desks(folder: Path, database: str) -> Iterator[Desks]:
    """Name desks that share a database which is set up already."""
    told = ("--set", f"database_url={database}")
    with ExitStack() as stack:
        yield lambda name, *flags: stack.enter_context(desk(folder / name, *flags, *told))


@pytest.fixture
def home(folder: Path) -> Path:
    made = folder / "desk"
    made.mkdir(mode=0o700)
    return made


def funded(home: Path, node: Chain) -> Path:
    """Give a home the wallet that the chain was opened with, as devnet's."""
    shutil.copy(node.home / "wallet.key", home / "devnet.key")
    (home / "devnet.key").chmod(0o600)
    return home


def sealed(home: Path, node: Chain) -> Path:
    """Give a home the same wallet, as mainnet's; return the file with its passphrase."""
    said = home.parent / "passphrase"
    said.write_text(PASSPHRASE + "\n")
    said.chmod(0o600)
    made = unlock(
        home, "--import", str(node.home / "wallet.key"), "--passphrase-file", str(said)
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    return said


def test_devnet_trades_on_the_pools_it_finds(node: Chain, home: Path, desks: Desks) -> None:
    funded(home, node)
    named = desks("desk", "--mode", "devnet", "--source", "simulated", *node.flags_of_a_desk)
    named.start()

    order = ends(named, BUY)

    assert (order["status"], order["mode"]) == ("CONFIRMED", "devnet")
    assert order["filled"]["base"] == "1"
    assert "floor" not in order["route"]
    assert named.stop() == 0


def test_devnet_makes_its_own_wallet_and_never_takes_the_localnets(
    node: Chain, home: Path, desks: Desks
) -> None:
    shutil.copy(node.home / "wallet.key", home / "wallet.key")
    named = desks("desk", "--mode", "devnet", "--source", "simulated", *node.flags_of_a_desk)
    named.start()

    assert stat.S_IMODE((home / "devnet.key").stat().st_mode) == 0o600
    assert (home / "devnet.key").read_bytes() != (home / "wallet.key").read_bytes()
    placed = named.post(BUY)
    assert (placed.status, placed.body["code"]) == (422, "funds.insufficient")
    assert named.stop() == 0


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--mode", "devnet"), "settings.invalid"),
        (
            ("--mode", "devnet", "--set", "binance.url=https://api.binance.com"),
            "settings.invalid",
        ),
        (("--mode", "mainnet"), "source.unreal"),
    ],
)
def test_a_wall_stops_the_start(
    node: Chain, desks: Desks, words: tuple[str, ...], code: str
) -> None:
    given = node.flags_of_a_desk if len(words) > 2 else ()
    named = desks("desk", "--source", "simulated", *words, *given)
    named.launch()

    assert named.wait() == 1
    assert f"{code}: " in named.said()


def test_mainnet_signs_only_while_it_is_unlocked(
    node: Chain, others: Outside, home: Path, desks: Desks
) -> None:
    flags = ("--mode", "mainnet", *others.price_flags, *node.flags_of_a_desk)
    named = desks("desk", *flags)
    named.launch()
    assert named.wait() == 1
    assert "wallet.missing: " in named.said()
    passphrase = sealed(home, node)
    named.start()

    assert ends(named, BUY)["error"]["code"] == "wallet.locked"
    resting = named.post({**BUY, "limitPrice": 170}).body["orderId"]
    assert named.post({**BUY, "amount": 8}).body["code"] == "limit.order_notional"

    wrong = home.parent / "wrong"
    wrong.write_text("not the one that was set")
    wrong.chmod(0o600)
    refused = unlock(home, "--passphrase-file", str(wrong))
    assert (refused.returncode, "passphrase.wrong" in refused.stderr) == (1, True)
    assert named.get(f"/api/orders/{resting}").body["status"] == "PENDING"

    opened = unlock(home, "--passphrase-file", str(passphrase))
    assert opened.returncode == 0, opened.stderr
    assert [order["status"] for order in named.ended([resting])] == ["CONFIRMED"]
    assert ends(named, BUY)["status"] == "CONFIRMED"

    told = asyncio.run(ask(home, Wish(seconds=1, passphrase=PASSPHRASE)))
    assert told.until_ms is not None
    named.until(lambda: "locked" in named.service("wallet")["detail"], "a locked wallet")
    assert ends(named, BUY)["error"]["code"] == "wallet.locked"

    unlock(home, "--passphrase-file", str(passphrase))
    assert unlock(home, "--minutes", "0").returncode == 0
    assert ends(named, BUY)["error"]["code"] == "wallet.locked"
    assert PASSPHRASE not in named.said()
    assert named.stop() == 0
    assert not (home / "unlock.sock").exists()


def exchanging(node: Chain, others: Outside, home: Path, desks: Desks) -> Process:
    funded(home, node)
    named = desks(
        "desk", "--mode", "devnet", *others.price_flags, *node.flags_of_a_desk,
        *others.exchange_flags(home),
    )  # fmt: skip
    named.start()
    named.until(lambda: named.service("binance")["detail"] == "live", "books")
    named.until(lambda: "binance" in venues(named), "a book to trade on")
    return named


def venues(named: Process) -> list[str]:
    """Return who quotes a purchase now."""
    return [row["venue"] for row in named.preview(BUY).body["quotes"] if "price" in row]


def test_an_order_goes_to_the_exchange_where_that_nets_more(
    node: Chain, others: Outside, home: Path, desks: Desks
) -> None:
    others.quote(*CHEAP)
    named = exchanging(node, others, home, desks)

    seen = named.preview(BUY).body
    assert seen["route"]["floor"] == "binance"
    assert {"raydium", "meteora", "binance"} <= {row["venue"] for row in seen["quotes"]}
    bought = ends(named, BUY)
    sold = ends(named, {**BUY, "direction": "SELL"})

    assert [bought["status"], bought["route"]["floor"]] == ["CONFIRMED", "binance"]
    assert bought["filled"]["networkFeeLamports"] == 0
    assert [sold["status"], sold["route"]["floor"]] == ["CONFIRMED", "pools"]
    told = "/api/execution/quality"
    named.until(lambda: '"binance"' in json.dumps(named.get(told).body), "the fill in the books")
    own = bought["orderId"].replace("-", "")
    filled = [o.client_id for o in others.exchange.exchange.orders if o.executed]
    assert [name.rpartition("-")[0] for name in filled] == [own]
    assert named.stop() == 0


def test_killed_with_the_exchanges_answer_lost_it_fills_once(
    node: Chain, others: Outside, home: Path, desks: Desks
) -> None:
    others.quote(*CHEAP)
    named = exchanging(node, others, home, desks)
    before = len(others.exchange.posted)
    others.exchange.bad("POST /api/v3/order", LOST)
    others.exchange.exchange.told_after_ms = 2_000

    placed = named.post(BUY).body["orderId"]
    named.until(lambda: len(others.exchange.posted) > before, "an order at the exchange")
    named.kill()
    others.quote(*DEAR)  # the pools would be better now, for an order that nobody sent yet
    named.start()
    [order] = named.ended([placed])

    assert [order["status"], order["route"]["floor"]] == ["CONFIRMED", "binance"]
    own = placed.replace("-", "")
    filled = [o for o in others.exchange.exchange.orders if o.executed and own in o.client_id]
    assert len(filled) == 1
    assert not others.exchange.exchange.doubled
    assert named.stop() == 0


def test_what_jupiter_builds_is_signed_only_if_our_own_node_takes_it(
    node: Chain, others: Outside, home: Path, desks: Desks
) -> None:
    """Its price is the best by far, and its transaction is of another chain than the node's."""
    passphrase = sealed(home, node)
    others.jupiter.price = 0.152
    named = desks(
        "desk", "--mode", "mainnet", *others.price_flags, *node.flags_of_a_desk,
        *others.jupiter_flags,
    )  # fmt: skip
    named.start()
    assert unlock(home, "--passphrase-file", str(passphrase)).returncode == 0

    seen = named.preview({**BUY, "direction": "SELL"}).body
    assert seen["route"]["floor"] == "jupiter"
    assert Decimal(seen["executionPrice"]) == 152
    sold = ends(named, {**BUY, "direction": "SELL"})

    assert [sold["status"], sold["route"]["floor"]] == ["CONFIRMED", "pools"]
    [jupiter] = [one for one in sold["route"]["alternatives"] if one["name"] == "jupiter"]
    assert jupiter["error"]["code"] == "blockhash.expired"
    assert others.jupiter.executed == []
    assert named.stop() == 0
