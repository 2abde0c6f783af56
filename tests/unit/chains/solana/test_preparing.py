"""What is signed was simulated, held against its quote, priced within the caps, and fits."""

from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.transaction import VersionedTransaction
from tests.unit.chains.solana.scripted import ScriptedNode, Told
from tests.unit.chains.solana.tabled import address, addresses, data

from quantdesk.chains.port import AccountMeta, Instruction, Priority, Trade
from quantdesk.chains.solana import keys
from quantdesk.chains.solana.chain import Solana, Terms
from quantdesk.chains.solana.rpc import Rpc
from quantdesk.chains.solana.tables import TABLE_PROGRAM
from quantdesk.core.assets import ASSETS, TOKEN_PROGRAM
from quantdesk.core.errors import DeskError, Refused, Unavailable
from quantdesk.core.markets import Side
from quantdesk.testing.clock import ManualClock

pytestmark = pytest.mark.anyio

Json = Any
KEYPAIR = Keypair.from_seed(bytes(32))
WALLET = keys.wallet(str(KEYPAIR.pubkey()))
OWN = WALLET.token_accounts
TABLE = address(5_000)
POOLS = addresses(42)
USED = 50_000
LIMIT = 90_000


def _swaps(*accounts: str) -> list[Instruction]:
    metas = [AccountMeta(key, is_signer=False, is_writable=True) for key in accounts]
    return [Instruction(address(900), tuple(metas), b"swap")]


def _sale(expected: int = 0) -> Trade:
    return Trade(Side.SELL, ASSETS["BTC"], ASSETS["USDC"], 10, 1, "qd:1:1", expected)


def _account(raw: bytes, owner: str, lamports: int = 1) -> Json:
    return {"lamports": lamports, "owner": owner, "data": [b64encode(raw).decode(), "base64"]}


def _tokens(amount: int) -> Json:
    return _account(bytes(64) + amount.to_bytes(8, "little") + bytes(93), TOKEN_PROGRAM)


def _balances(raw: str, gained: int) -> Json:
    """Return what a node of today tells of a sale of 10 BTC units for so many of USDC."""
    message = VersionedTransaction.from_bytes(b64decode(raw)).message
    assert isinstance(message, MessageV0)
    named = [str(key) for key in message.account_keys]
    count = len(named) + sum(
        len(one.writable_indexes) + len(one.readonly_indexes)
        for one in message.address_table_lookups
    )

    def held(btc: int, usdc: int) -> Json:
        amounts = {OWN["BTC"]: btc, OWN["USDC"]: usdc}
        return [
            {"accountIndex": named.index(key), "uiTokenAmount": {"amount": str(amount)}}
            for key, amount in amounts.items()
        ]

    return {
        "fee": 5_000,
        "preBalances": [9_000] * count,
        "postBalances": [4_000] + [9_000] * (count - 1),
        "preTokenBalances": held(30, 700),
        "postTokenBalances": held(20, 700 + gained),
    }


@pytest.fixture
def prepares(node: ScriptedNode, rpc: Rpc) -> Callable[..., Solana]:
    """Return what makes a chain on a node where a sale brings `gained` units of USDC."""

    def made(*, gained: int | None = 1_000, fee: int = 0, **terms: Json) -> Solana:
        node.says["getRecentPrioritizationFees"] = lambda _: [{"slot": 1, "prioritizationFee": fee}]
        node.says["getLatestBlockhash"] = lambda _: {
            "context": {"slot": 5},
            "value": {"blockhash": "1" * 32, "lastValidBlockHeight": 155},
        }

        def simulates(raw: str, _: Json) -> Json:
            more = {} if gained is None else _balances(raw, gained)
            value = {"err": None, "logs": ["a"], "unitsConsumed": USED, **more}
            return {"context": {"slot": 6}, "value": value}

        node.says["simulateTransaction"] = simulates
        return Solana(
            rpc=rpc, keypair=KEYPAIR, wallet=WALLET, clock=ManualClock(), terms=Terms(**terms)
        )

    return made


Prepares = Callable[..., Solana]


def _own(*accounts: str) -> list[Instruction]:
    return _swaps(OWN["BTC"], OWN["USDC"], *accounts)


async def test_tells_what_the_simulation_moved(prepares: Prepares) -> None:
    made = await prepares().prepare(_sale(), _own("1" * 32))

    simulation = made.simulation
    assert (simulation.base_raw, simulation.quote_raw) == (10, 1_000)


@pytest.mark.parametrize(("gained", "code"), [(998, ""), (997, "quote.deviates")])
async def test_signs_nothing_that_is_worse_than_quoted(
    prepares: Prepares, gained: int, code: str
) -> None:
    chain = prepares(gained=gained, deviation_bps=20)
    said = ""
    try:
        await chain.prepare(_sale(1_000), _own())
    except Unavailable as problem:
        said = problem.code

    assert said == code


@pytest.mark.parametrize("expected", [0, 1_000])
@pytest.mark.parametrize(("quoted", "code"), [(6, ""), (7, "rpc.behind")])
async def test_takes_no_word_from_a_node_that_is_behind_the_quote(
    node: ScriptedNode, prepares: Prepares, expected: int, quoted: int, code: str
) -> None:
    chain = prepares()
    sale = replace(_sale(expected), quoted_slot=quoted)

    assert await _problem(chain, sale) == code

    # What fails there may be what the quote knows to be over: it is no reason to give up.
    refused = {"err": {"InstructionError": [4, {"Custom": 1}]}, "logs": [], "unitsConsumed": 1}
    node.says["simulateTransaction"] = lambda *_: {"context": {"slot": 6}, "value": refused}
    assert await _problem(chain, sale) == (code or "simulation.failed")


@pytest.mark.parametrize(("index", "at"), [(2, None), (3, None), (4, 0), (5, 1), (6, None)])
async def test_says_which_of_the_calls_has_failed(
    node: ScriptedNode, prepares: Prepares, index: int, at: int | None
) -> None:
    chain = prepares()
    refused = {"err": {"InstructionError": [index, {"Custom": 1}]}, "logs": [], "unitsConsumed": 1}
    node.says["simulateTransaction"] = lambda *_: {"context": {"slot": 6}, "value": refused}

    with pytest.raises(Refused) as caught:  # compute limit and price, memo, token account, calls
        await chain.prepare(_sale(), [*_own("1" * 32), *_own(address(901))])

    assert caught.value.at == at


@pytest.mark.parametrize(("count", "at"), [(1, 0), (2, None)])
async def test_says_whose_quote_deviates_where_only_one_can(
    prepares: Prepares, count: int, at: int | None
) -> None:
    calls = [call for number in range(count) for call in _own(address(901 + number))]

    with pytest.raises(Unavailable) as caught:
        await prepares(gained=900).prepare(_sale(1_000), calls)

    assert (caught.value.code, caught.value.at) == ("quote.deviates", at)


async def _problem(chain: Solana, wanted: Trade) -> str:
    try:
        await chain.prepare(wanted, _own())
    except DeskError as problem:
        return problem.code
    return ""


async def test_asks_an_older_node_for_the_accounts_too(
    node: ScriptedNode, prepares: Prepares
) -> None:
    chain = prepares(gained=None)
    bare = node.says["simulateTransaction"]
    known = {WALLET.address: _account(b"", "1" * 32, 9_000)}
    before = {**known, OWN["BTC"]: _tokens(30), OWN["USDC"]: _tokens(700)}
    after = {**known, OWN["BTC"]: _tokens(20), OWN["USDC"]: _tokens(1_690)}

    def simulates(raw: str, config: Json) -> Json:
        answer = bare(raw, config)
        if "accounts" in config:
            answer["value"]["accounts"] = [
                after.get(key) for key in config["accounts"]["addresses"]
            ]
        return answer

    node.says["simulateTransaction"] = simulates
    node.says["getMultipleAccounts"] = lambda names, _: {
        "context": {"slot": 6},
        "value": [before.get(key) for key in names],
    }

    made = await chain.prepare(_sale(990), _own())
    node.requests.clear()
    again = await chain.prepare(_sale(990), _own())
    with pytest.raises(Unavailable) as caught:
        await chain.prepare(_sale(1_000), _own())

    assert (made.simulation.base_raw, made.simulation.quote_raw) == (10, 990)
    assert again.simulation == made.simulation
    assert node.requests == [2, 2], "accounts and simulation travel together"
    assert caught.value.code == "quote.deviates"


async def test_drops_no_check_when_a_node_tells_nothing_at_all(
    node: ScriptedNode, prepares: Prepares
) -> None:
    chain = prepares(gained=None)
    node.says["getMultipleAccounts"] = lambda names, _: {
        "context": {"slot": 6},
        "value": [None] * len(names),
    }

    with pytest.raises(Unavailable) as caught:
        await chain.prepare(_sale(1_000), _own())
    made = await chain.prepare(_sale(), _own())

    assert caught.value.code == "rpc.unreadable"
    assert made.simulation.quote_raw is None


@pytest.mark.parametrize(
    ("fee", "terms", "price", "call"),
    [
        (7_000, {}, 7_000, 420),
        (0, {}, 0, 0),
        (0, {"unit_price_min": 50}, 50, 3),
        (0, {"policy": Priority.URGENT}, 10_000, 600),
        (9**9, {"unit_price_max": 80_000}, 80_000, 4_800),
        (9**9, {"priority_lamports_max": 3}, 33, 3),
        (9**9, {"priority_lamports_max": 0}, 0, 0),
    ],
)
async def test_offers_what_the_policy_says_within_both_caps(
    prepares: Prepares, fee: int, terms: dict[str, Json], price: int, call: int
) -> None:
    chain = prepares(fee=fee, **terms)

    made = await chain.prepare(_sale(), _own())

    limits = VersionedTransaction.from_bytes(made.raw).message.instructions[:2]
    assert [int.from_bytes(one.data[1:], "little") for one in limits] == [LIMIT, price]
    assert made.simulation.priority_lamports == -(-price * LIMIT // 10**6)
    assert await chain.priority_lamports(_own(), compute_units=USED) == (
        made.simulation.priority_lamports
    )
    assert chain.call_lamports(USED) == call, "at the last price seen, and a fifth more units"


@pytest.mark.parametrize("policy", Priority)
@pytest.mark.parametrize(
    ("priority", "terms", "offered"),
    [
        (Priority.ECONOMY, {}, (2_000, 120)),
        (Priority.NORMAL, {}, (5_000, 300)),
        (Priority.URGENT, {}, (10_000, 600)),
        (Priority.URGENT, {"unit_price_max": 6_000}, (6_000, 360)),
        (Priority.URGENT, {"priority_lamports_max": 450}, (5_000, 450)),
        (Priority.ECONOMY, {"unit_price_min": 3_000}, (3_000, 180)),
    ],
)
async def test_offers_what_a_trade_says_instead_within_the_same_caps(
    node: ScriptedNode,
    prepares: Prepares,
    policy: Priority,
    priority: Priority,
    terms: dict[str, Json],
    offered: tuple[int, int],
) -> None:
    price, call = offered
    chain = prepares(policy=policy, **terms)
    recent = [{"slot": n, "prioritizationFee": fee} for n, fee in enumerate((2_000, 3_000, 5_000))]
    node.says["getRecentPrioritizationFees"] = lambda _: recent

    made = await chain.prepare(replace(_sale(), priority=priority), _own())

    lamports = price * LIMIT // 10**6
    limits = VersionedTransaction.from_bytes(made.raw).message.instructions[:2]
    assert [int.from_bytes(one.data[1:], "little") for one in limits] == [LIMIT, price]
    assert made.simulation.priority_lamports == lamports
    shown = await chain.priority_lamports(_own(), compute_units=USED, priority=priority)
    assert (shown, chain.call_lamports(USED, priority)) == (lamports, call)
    assert node.count("getRecentPrioritizationFees") == 1, "one answer serves every priority"


async def test_asks_one_question_in_the_good_hour(node: ScriptedNode, prepares: Prepares) -> None:
    chain = prepares()
    await chain.prepare(_sale(990), _own())
    node.asked.clear()

    await chain.prepare(_sale(990), _own())

    assert [method for method, _ in node.asked] == ["simulateTransaction"]


async def test_asks_the_price_of_another_route_once(node: ScriptedNode, prepares: Prepares) -> None:
    chain = prepares()
    await chain.prepare(_sale(), _own())
    node.asked.clear()
    node.requests.clear()

    for _ in range(2):
        await chain.prepare(_sale(), _own(address(1)))

    assert node.count("getRecentPrioritizationFees") == 1
    assert node.requests == [2, 1], "it rides along with the first simulation"


def _tables(node: ScriptedNode, *accounts: Json, slot: int = 8) -> None:
    answer = {"context": {"slot": slot}, "value": list(accounts)}
    node.says["getMultipleAccounts"] = lambda *_: answer


async def test_signs_a_large_split_with_its_table(node: ScriptedNode, prepares: Prepares) -> None:
    chain = prepares(lookup_tables=(TABLE,))
    _tables(node, _account(data(POOLS), TABLE_PROGRAM))

    made = await chain.prepare(_sale(1_000), _own(*POOLS))

    message = VersionedTransaction.from_bytes(made.raw).message
    assert isinstance(message, MessageV0)
    (lookup,) = message.address_table_lookups
    assert str(lookup.account_key) == TABLE
    assert len(lookup.writable_indexes) == 42
    assert len(made.raw) < 700
    assert made.simulation.quote_raw == 1_000
    (asked,) = [params for method, params in node.asked if method == "getMultipleAccounts"]
    assert asked == [[TABLE], {"encoding": "base64", "commitment": "finalized"}]


async def test_asks_for_no_table_when_none_is_needed(
    node: ScriptedNode, prepares: Prepares
) -> None:
    await prepares(lookup_tables=(TABLE,)).prepare(_sale(), _own())

    assert node.count("getMultipleAccounts") == 0


@pytest.mark.parametrize(
    ("account", "kind", "code"),
    [
        (None, Refused, "transaction.too_large"),
        (_account(data(POOLS, deactivated=3), TABLE_PROGRAM), Refused, "transaction.too_large"),
        (_account(data(POOLS, extended=9), TABLE_PROGRAM), Refused, "transaction.too_large"),
        ("silence", Unavailable, "rpc.unavailable"),
        ("refusal", Unavailable, "rpc.invalid"),
    ],
)
async def test_may_try_again_only_when_the_table_could_not_be_read(
    node: ScriptedNode, prepares: Prepares, account: Json, kind: type[DeskError], code: str
) -> None:
    chain = prepares(lookup_tables=(TABLE,))
    _tables(node, account)
    if isinstance(account, str):

        def fails(*_: Json) -> None:
            raise Told({"silence": -32005, "refusal": -32602}[account])

        node.says["getMultipleAccounts"] = fails

    with pytest.raises(kind) as caught:
        await chain.prepare(_sale(), _own(*POOLS))

    assert caught.value.code == code


async def test_measures_routes_with_the_tables_there_are(
    node: ScriptedNode, prepares: Prepares
) -> None:
    chain = prepares(lookup_tables=(TABLE,))
    without = (await chain.measure())(_sale(), _own(*POOLS))
    _tables(node, _account(data(POOLS), TABLE_PROGRAM))

    measure = await chain.measure()

    assert not without.fits
    assert measure(_sale(), _own(*POOLS)).fits
    made = await chain.prepare(_sale(), _own(*POOLS))
    assert measure(_sale(), _own(*POOLS)).bytes == len(made.raw)
