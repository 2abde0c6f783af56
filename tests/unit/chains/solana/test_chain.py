"""Death takes proof in the right order, and nothing a node says brings the chain out of form."""

import asyncio
from collections.abc import Callable

import pytest
from solders.keypair import Keypair
from tests.unit.chains.solana.scripted import ScriptedNode, Told

from quantdesk.chains.port import Fate, Simulation, Trade, Transaction
from quantdesk.chains.solana import keys
from quantdesk.chains.solana.chain import Solana
from quantdesk.chains.solana.rpc import Rpc
from quantdesk.core.assets import ASSETS
from quantdesk.core.errors import Corrupt, DeskError, Unavailable
from quantdesk.core.markets import Side
from quantdesk.testing.clock import ManualClock

pytestmark = pytest.mark.anyio

KEYPAIR = Keypair.from_seed(bytes(32))
WALLET = keys.wallet(str(KEYPAIR.pubkey()))
SENT = Transaction(b"raw", "sig", 1_000, Simulation(2_000, 1, ()))
TRADE = Trade(Side.SELL, ASSETS["SOL"], ASSETS["USDC"], 1, 1, "qd:1:1")


@pytest.fixture
def chain(rpc: Rpc) -> Solana:
    return Solana(rpc=rpc, keypair=KEYPAIR, wallet=WALLET, clock=ManualClock())


def _statuses(
    *, slot: int, found: object = None, in_history: object = None
) -> Callable[..., object]:
    def answer(signatures: list[str], config: dict[str, bool]) -> object:
        status = in_history if config["searchTransactionHistory"] else None
        return {"context": {"slot": slot}, "value": [status] * len(signatures)}

    return answer


def _expired(node: ScriptedNode, *, slot: int = 2_300, in_history: object = None) -> None:
    node.says["getSignatureStatuses"] = _statuses(slot=slot, in_history=in_history)
    node.says["getEpochInfo"] = lambda _: {"absoluteSlot": slot - 32, "blockHeight": 1_009}
    _blocks(node, [*range(1_920, 2_252)])


def _blocks(node: ScriptedNode, slots: list[int], *, missing: int = 0) -> None:
    """Let the node have these finalized blocks, and so many less than there were among them."""
    heights = {slot: 800 + place for place, slot in enumerate(slots)}
    node.says["getBlocksWithLimit"] = lambda start, limit, _: [s for s in slots if s >= start][
        :limit
    ]
    node.says["getBlock"] = lambda slot, _: {
        "blockHeight": heights[slot] + (missing if slot == slots[-1] else 0)
    }


async def test_searches_history_only_after_it_read_the_height(
    node: ScriptedNode, chain: Solana
) -> None:
    _expired(node)

    (sighting,) = await chain.look([SENT])

    assert sighting.fate is Fate.DEAD
    head = {
        "commitment": "finalized",
        "transactionDetails": "none",
        "rewards": False,
        "maxSupportedTransactionVersion": 0,
    }
    assert [(method, params[-1]) for method, params in node.asked] == [
        ("getSignatureStatuses", {"searchTransactionHistory": False}),
        ("getEpochInfo", {"commitment": "finalized"}),
        ("getBlocksWithLimit", {"commitment": "finalized"}),  # in one request with
        ("getSignatureStatuses", {"searchTransactionHistory": True}),
        ("getBlock", head),
        ("getBlock", head),
    ]
    assert node.requests == [1, 1, 2, 2], "the node that searches tells what it has"


@pytest.mark.parametrize(
    ("status", "fate"),
    [
        ({"slot": 2_100, "err": None, "confirmationStatus": "finalized"}, Fate.LANDED),
        ({"slot": 2_100, "err": "AccountInUse", "confirmationStatus": "finalized"}, Fate.REVERTED),
        ({"slot": 2_100, "err": None, "confirmationStatus": "processed"}, Fate.UNSEEN),
    ],
)
async def test_believes_what_history_remembers(
    node: ScriptedNode, chain: Solana, status: object, fate: Fate
) -> None:
    _expired(node, in_history=status)

    (sighting,) = await chain.look([SENT])

    assert (sighting.fate, sighting.slot) == (fate, 2_100)


async def test_is_not_dead_when_the_history_search_fails(node: ScriptedNode, chain: Solana) -> None:
    _expired(node)
    honest = node.says["getSignatureStatuses"]

    def broken(signatures: list[str], config: dict[str, bool]) -> object:
        if config["searchTransactionHistory"]:
            raise Told(-32011, "no history")
        return honest(signatures, config)

    node.says["getSignatureStatuses"] = broken

    assert [one.fate for one in await chain.look([SENT])] == [Fate.UNSEEN]


@pytest.mark.parametrize(
    ("slots", "missing"),
    [
        ([*range(2_001, 2_301)], 0),
        ([*range(1_920, 2_252)], 1),
        ([*range(1_920, 2_100)], 0),
        ([], 0),
    ],
    ids=["from later on", "one is missing", "not far enough", "none"],
)
async def test_is_not_dead_while_the_node_lacks_blocks_that_may_hold_it(
    node: ScriptedNode, chain: Solana, slots: list[int], missing: int
) -> None:
    _expired(node)
    _blocks(node, slots, missing=missing)

    assert [one.fate for one in await chain.look([SENT])] == [Fate.UNSEEN]


@pytest.mark.parametrize("silent", ["getBlocksWithLimit", "getBlock"])
async def test_is_not_dead_while_the_node_does_not_tell_its_blocks(
    node: ScriptedNode, chain: Solana, silent: str
) -> None:
    _expired(node)
    del node.says[silent]

    assert [one.fate for one in await chain.look([SENT])] == [Fate.UNSEEN]


async def test_offers_more_after_what_no_block_took(node: ScriptedNode, chain: Solana) -> None:
    _expired(node)
    before = chain.call_lamports(100_000)

    await chain.look([SENT])

    assert (before, chain.call_lamports(100_000)) == (0, 1_200)


async def test_looks_at_256_signatures_at_a_time(node: ScriptedNode, chain: Solana) -> None:
    node.says["getSignatureStatuses"] = _statuses(slot=2_010)

    sightings = await chain.look([SENT] * 300)

    assert [len(params[0]) for _, params in node.asked] == [256, 44]
    assert {one.fate for one in sightings} == {Fate.UNSEEN}
    assert len(sightings) == 300


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        {},
        {"context": {"slot": 1}, "value": []},
        {"context": {}, "value": [None]},
        {"context": {"slot": 1}, "value": [{"slot": "x"}]},
        {"context": {"slot": 1}, "value": [5]},
    ],
)
async def test_calls_odd_statuses_unavailable(
    node: ScriptedNode, chain: Solana, answer: object
) -> None:
    node.says["getSignatureStatuses"] = lambda *_: answer

    with pytest.raises(Unavailable) as caught:
        await chain.look([SENT])

    assert caught.value.code == "rpc.unreadable"


async def test_joins_receipts_of_one_turn_in_one_request(node: ScriptedNode, chain: Solana) -> None:
    node.says["getTransaction"] = lambda *_: None

    said = await asyncio.gather(
        *(chain.receipt(TRADE, SENT) for _ in range(20)), return_exceptions=True
    )

    assert node.requests == [20]
    assert {type(one) for one in said} == {Unavailable}


async def test_calls_a_receipt_that_is_none_corrupt(node: ScriptedNode, chain: Solana) -> None:
    node.says["getTransaction"] = lambda *_: {"slot": 5}

    with pytest.raises(Corrupt):
        await chain.receipt(TRADE, SENT)


@pytest.mark.parametrize(
    ("code", "data", "harmless"),
    [
        (-32002, {"err": "AlreadyProcessed"}, True),
        (-32002, {"err": "BlockhashNotFound"}, False),
        (-32602, None, False),
        (-32005, None, False),
    ],
)
async def test_sends_what_has_landed_already_without_a_fuss(
    node: ScriptedNode, chain: Solana, code: int, data: object, *, harmless: bool
) -> None:
    def refuse(*_: object) -> None:
        raise Told(code, data=data)

    node.says["sendTransaction"] = refuse

    (said,) = await asyncio.gather(chain.send(SENT), return_exceptions=True)

    assert said is None if harmless else isinstance(said, Unavailable)
    assert node.asked[0][1][1] == {"encoding": "base64", "skipPreflight": True, "maxRetries": 0}


def _prepares(node: ScriptedNode, simulation: object, blockhash: str = "1" * 32) -> None:
    node.says["getRecentPrioritizationFees"] = lambda _: [{"slot": 1, "prioritizationFee": 9**9}]
    node.says["getLatestBlockhash"] = lambda _: {
        "context": {"slot": 5},
        "value": {"blockhash": blockhash, "lastValidBlockHeight": 155},
    }
    node.says["simulateTransaction"] = lambda *_: {"context": {"slot": 6}, "value": simulation}


async def test_signs_for_the_blockhash_it_asked_and_the_compute_it_saw(
    node: ScriptedNode, chain: Solana
) -> None:
    _prepares(node, {"err": None, "logs": ["a"], "unitsConsumed": 50_000})

    made = await chain.prepare(TRADE, [])

    assert made.last_valid_height == 155
    assert made.simulation == Simulation(6, 50_000, ("a",), priority_lamports=90_000)
    assert (90_000).to_bytes(4, "little") in made.raw
    assert (1_000_000).to_bytes(8, "little") in made.raw  # the price's cap
    (tried,) = [params for method, params in node.asked if method == "simulateTransaction"]
    assert tried[1]["sigVerify"] is False


@pytest.mark.parametrize(
    ("simulation", "code", "asked"),
    [
        ({"err": "BlockhashNotFound", "logs": []}, "blockhash.expired", 2),
        ({"err": "AccountNotFound", "logs": None}, "funds.insufficient", 1),
        ({"err": None, "logs": []}, "rpc.unreadable", 1),
        ("odd", "rpc.unreadable", 1),
    ],
)
async def test_raises_what_the_simulation_says(
    node: ScriptedNode, chain: Solana, simulation: object, code: str, asked: int
) -> None:
    _prepares(node, simulation)

    with pytest.raises(DeskError) as caught:
        await chain.prepare(TRADE, [])

    assert caught.value.code == code
    assert node.count("simulateTransaction") == node.count("getLatestBlockhash") == asked


async def test_calls_an_odd_blockhash_unreadable(node: ScriptedNode, chain: Solana) -> None:
    _prepares(node, {}, blockhash="0OIl")

    with pytest.raises(Unavailable) as caught:
        await chain.prepare(TRADE, [])

    assert caught.value.code == "rpc.unreadable"


@pytest.mark.parametrize(
    "account",
    [
        {"lamports": 5, "owner": WALLET.address, "data": ["", "base64"]},
        {
            "lamports": 5,
            "owner": "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA",
            "data": ["AA", "base64"],
        },
        {"lamports": 5, "owner": "x", "data": ["!", "base64"]},
        {"lamports": 5, "owner": "x", "data": ["AAAA", "base58"]},
    ],
)
async def test_counts_no_balance_from_odd_accounts(
    node: ScriptedNode, chain: Solana, account: object
) -> None:
    answer = {"context": {"slot": 1}, "value": [None, account]}
    node.says["getMultipleAccounts"] = lambda *_: answer

    with pytest.raises(Unavailable):
        await chain.balances([ASSETS["USDC"]])
