"""A Jupiter on loopback, and the chain it lands on, which has the truth.

`Ledger` takes signed wire transactions as a cluster does: verified, while their blockhash lives,
each signature once. It keeps the chains port for whoever asks it. `Jupiter` speaks the swap API v2
over it: it builds real transactions, lands them when it likes, and can lie about it.

Shapes: https://developers.jup.ag/docs/swap/order-and-execute
"""

import asyncio
import json
from base64 import b64decode, b64encode
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from aiohttp import web
from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from quantdesk.chains.port import (
    Fate,
    Receipt,
    Sighting,
    Simulation,
    Trade,
    Transaction,
)
from quantdesk.chains.port import Instruction as Call
from quantdesk.core.assets import Asset
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Refused, Unavailable
from quantdesk.testing.serving import Serving

Json = Any
AGGREGATOR: Final = Pubkey.from_string("JUP6LkbZbjS1jKKwapdHNy74zcZ3tLUZoi5QNyVTaV4")
BLOCK_S: Final = 0.4
VALID_BLOCKS: Final = 150
_MARGIN_BLOCKS: Final = 8
_CACHED_S: Final = 120.0
_SWAP: Final = bytes.fromhex("bb64facc31c4af14")
_FEE_LAMPORTS: Final = 5_000

Edit = Callable[[list[Instruction]], list[Instruction]]
"""Changes the instructions of the next order."""


class Ledger:
    """A chain of one wallet that executes Jupiter's swaps; `worse_raw` is taken from each."""

    def __init__(self, *, clock: Clock) -> None:
        self.fills: list[str] = []
        """Signatures that executed, each of them once."""
        self.sent: Counter[str] = Counter()
        self.worse_raw = 0
        self.silent = False
        """Whether `look` is left unanswered."""
        self.drops = False
        """Whether what `send` is given gets lost."""
        self._clock = clock

    @property
    def height(self) -> int:
        """Return the height of the latest block."""
        return int(self._clock.monotonic() / BLOCK_S) + 1_000

    @property
    def poll_s(self) -> float:
        """Return the seconds between looks."""
        return BLOCK_S

    @property
    def blockhash(self) -> Hash:
        """Return the latest blockhash, which names its height."""
        return Hash(self.height.to_bytes(32, "big"))

    async def newest_height(self) -> int:
        """Return the last valid height of the latest blockhash."""
        return self.height + VALID_BLOCKS

    def land(self, raw: bytes) -> None:
        """Execute a transaction unless it is unsigned, too old or known."""
        made = VersionedTransaction.from_bytes(raw)
        assert made.verify_with_results() == [True], "every signer signed"
        signature = str(made.signatures[0])
        born = int.from_bytes(bytes(made.message.recent_blockhash), "big")
        if self.height <= born + VALID_BLOCKS and signature not in self.fills:
            self.fills.append(signature)

    async def prepare(self, trade: Trade, instructions: Sequence[Call]) -> Transaction:  # noqa: ARG002
        """Refuse: nothing is built here."""
        raise Refused("nothing is built here", code="simulation.failed")

    async def send(self, transaction: Transaction) -> None:
        """Land the bytes."""
        self.sent[transaction.signature] += 1
        if self.drops:
            raise Unavailable("the node does not answer", code="rpc.unavailable")
        self.land(transaction.raw)

    async def look(self, transactions: Sequence[Transaction]) -> list[Sighting]:
        """Return the fate of each."""
        if self.silent:
            raise Unavailable("the node does not answer", code="rpc.unavailable")
        return [self._sighting(transaction) for transaction in transactions]

    async def receipt(self, trade: Trade, transaction: Transaction) -> Receipt:  # noqa: ARG002
        """Return what a swap moved."""
        if transaction.signature not in self.fills:
            raise Unavailable("not recorded yet", code="receipt.pending")
        paid, least = _swap(VersionedTransaction.from_bytes(transaction.raw).message)
        return Receipt(self.height, paid, least - self.worse_raw, _FEE_LAMPORTS, 0)

    async def balances(self, assets: Sequence[Asset]) -> dict[str, int]:
        """Return plenty of everything."""
        return {asset.symbol: 10**13 for asset in assets}

    def simulated(self, raw: bytes) -> Simulation:
        """Return what an unsigned swap would move; raise `Unavailable` when it is too old."""
        made = VersionedTransaction.from_bytes(raw)
        assert made.signatures == [Signature.default()], "nobody may be given a signed one"
        born = int.from_bytes(bytes(made.message.recent_blockhash), "big")
        if not born <= self.height <= born + VALID_BLOCKS:
            raise Unavailable("the blockhash is not known", code="blockhash.expired")
        paid, promised = _swap(made.message)
        return Simulation(self.height, 60_000, (), paid, promised - self.worse_raw)

    def _sighting(self, transaction: Transaction) -> Sighting:
        if transaction.signature in self.fills:
            return Sighting(Fate.LANDED, self.height)
        if self.height > transaction.last_valid_height + _MARGIN_BLOCKS:
            return Sighting(Fate.DEAD)
        return Sighting(Fate.UNSEEN)


@dataclass(frozen=True, slots=True)
class Bad:
    """What becomes of one request: whether it `lands`, and what is answered; no `status` cuts."""

    lands: bool = False
    status: int = 0
    body: Json = None


LOST: Final = Bad(lands=True)
CUT: Final = Bad()


class Jupiter:
    """Serves swaps of one price: `price` is what a base unit of the input brings."""

    def __init__(
        self, *, clock: Clock, ledger: Ledger, price: float = 0.15, api_key: str | None = None
    ) -> None:
        self.price = price
        self.edit: Edit = lambda steps: steps
        self.edit_order: Callable[[Json], Json] = lambda order: order
        self.payer: Keypair | None = None
        """Who pays for the next orders and signs first, instead of the taker."""
        self.height_lie = 0
        """Added to the last valid height that orders tell."""
        self.rate_max = 1_000
        self.held: asyncio.Event | None = None
        """Nothing is answered before it is set."""
        self.asked: list[dict[str, str]] = []
        self.executed: list[str] = []
        """Ids of the orders that came to be executed, in order."""
        self.url = ""
        self._clock = clock
        self._ledger = ledger
        self._api_key = api_key
        self._orders: dict[str, float] = {}
        self._requests = 0
        self._bad: deque[Bad] = deque()
        self._serving = Serving()

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/swap/v2/order", self._order)
        app.router.add_post("/swap/v2/execute", self._execute)
        place = await self._serving.begin(app, cancels=True)
        self.url = f"http://{place}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._serving.end()

    def bad(self, *days: Bad) -> None:
        """Let the next requests to execute go wrong."""
        self._bad.extend(days)

    async def _order(self, request: web.Request) -> web.Response:
        said = dict(request.query)
        self.asked.append(said)
        if (declined := await self._declined(request)) is not None:
            return declined
        if said.get("swapMode", "ExactIn") != "ExactIn":
            return web.json_response({"error": "Invalid swapMode"}, status=400)
        amount = int(said["amount"])
        promised = int(amount * self.price)
        least = promised * (10_000 - int(said["slippageBps"])) // 10_000
        taker = said.get("taker")  # without one it is a quote, and there is nothing to sign
        request_id = f"019a-{len(self._orders)}"
        self._orders[request_id] = self._clock.monotonic()
        order = {
            "mode": "manual", "inputMint": said["inputMint"], "outputMint": said["outputMint"],
            "inAmount": str(amount), "outAmount": str(promised),
            "otherAmountThreshold": str(least), "swapMode": "ExactIn",
            "slippageBps": int(said["slippageBps"]), "routePlan": [], "feeBps": 2,
            "priceImpact": -0.1,
            "feeMint": said["inputMint"], "signatureFeeLamports": 5_000,
            "signatureFeePayer": taker, "prioritizationFeeLamports": 10_000,
            "rentFeeLamports": 0, "router": "metis", "gasless": False,
            "transaction": taker and self._transaction(taker, amount, promised),
            "lastValidBlockHeight": str(self._ledger.height + VALID_BLOCKS + self.height_lie),
            "requestId": request_id, "taker": taker, "totalTime": 120,
        }  # fmt: skip
        return web.json_response(self.edit_order(order))

    async def _execute(self, request: web.Request) -> web.StreamResponse:
        said = json.loads(await request.read())
        self.executed.append(said["requestId"])
        if (declined := await self._declined(request)) is not None:
            return declined
        bad = self._bad.popleft() if self._bad else None
        raw = b64decode(said["signedTransaction"])
        signature = str(VersionedTransaction.from_bytes(raw).signatures[0])
        if bad is None or bad.lands:
            began = self._orders.get(said["requestId"])
            if began is None or self._clock.monotonic() - began > _CACHED_S:
                failed = {"status": "Failed", "code": -1, "error": "Order not found"}
                return web.json_response(failed)
            self._ledger.land(raw)
        if bad is not None:
            if not bad.status:
                assert request.transport is not None
                request.transport.abort()
            return web.json_response(bad.body, status=bad.status or 500)
        if signature not in self._ledger.fills:
            failed = {"status": "Failed", "code": -1000, "error": "Failed to land"}
            return web.json_response({**failed, "signature": signature})
        return web.json_response(
            {"status": "Success", "code": 0, "signature": signature, "slot": "1", "swapEvents": []}
        )

    async def _declined(self, request: web.Request) -> web.Response | None:
        if self.held is not None:
            await self.held.wait()
        if self._api_key is not None and request.headers.get("x-api-key") != self._api_key:
            return web.json_response({"code": 401, "message": "Unauthorized"}, status=401)
        self._requests += 1
        if self._requests <= self.rate_max:
            return None
        reset = self._clock.now_ms() // 1000 + 10
        headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(reset)}
        return web.json_response({"error": "Too Many Requests"}, status=429, headers=headers)

    def _transaction(self, taker: str, amount: int, promised: int) -> str:
        wallet = Pubkey.from_string(taker)
        payer = self.payer.pubkey() if self.payer else wallet
        data = _SWAP + amount.to_bytes(8, "little") + promised.to_bytes(8, "little")
        accounts = [AccountMeta(wallet, is_signer=True, is_writable=True)]
        steps = [
            set_compute_unit_limit(60_000),
            set_compute_unit_price(100_000),
            Instruction(AGGREGATOR, data, accounts),
        ]
        made = MessageV0.try_compile(payer, self.edit(steps), [], self._ledger.blockhash)
        blank = [Signature.default()] * made.header.num_required_signatures
        return b64encode(bytes(VersionedTransaction.populate(made, blank))).decode("ascii")


def _swap(message: Json) -> tuple[int, int]:
    """Return what the swap of a message pays and brings."""
    for step in message.instructions:
        data = bytes(step.data)
        if data.startswith(_SWAP):
            return int.from_bytes(data[8:16], "little"), int.from_bytes(data[16:24], "little")
    raise AssertionError("no swap in it")
