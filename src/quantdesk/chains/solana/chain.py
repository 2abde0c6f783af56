"""`Solana`: the chains port on Solana, for one wallet.

    prepare   blockhash → build → simulate → hold against the quote → compute limit and price
              → sign                                                     one question in a good hour
    send      the same bytes, as often as asked; the node neither checks nor repeats them
    look      statuses; for the old and unseen: finalized height, then a search of all history
    receipt   the balance changes of what landed

Everything that decides is in the pure files beside this one.
"""

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

import msgspec
from solders.message import to_bytes_versioned
from solders.transaction import VersionedTransaction

from quantdesk.chains.port import (
    Fate,
    Instruction,
    Priority,
    Receipt,
    Sighting,
    Simulation,
    Trade,
    Transaction,
    Wallet,
)
from quantdesk.chains.solana import builder, fees, monitor, receipt
from quantdesk.chains.solana.answers import (
    AccountsAnswer,
    BlockhashAnswer,
    EpochInfo,
    Status,
    StatusesAnswer,
    token_amount,
)
from quantdesk.chains.solana.failures import UNKNOWN, failure, instruction_index
from quantdesk.chains.solana.keys import Signer
from quantdesk.chains.solana.ledger import beside
from quantdesk.chains.solana.monitor import Commitment, Finality, Search, Sent
from quantdesk.chains.solana.recent import Blockhashes, LookupTables, Prices, UnitPrices
from quantdesk.chains.solana.reverts import explained
from quantdesk.chains.solana.rpc import Preflight, Rpc
from quantdesk.chains.solana.tables import Table
from quantdesk.chains.solana.trials import Trials
from quantdesk.core.assets import Asset
from quantdesk.core.clock import Clock
from quantdesk.core.errors import DeskError, Refused, Unavailable

T = TypeVar("T")

_STATUSES_MAX: Final = 256  # what a node takes in one question
_AHEAD_BLOCKS: Final = 32
_EXPIRED: Final = "BlockhashNotFound"
_NATIVE: Final = "SOL"


@dataclass(frozen=True, slots=True)
class Terms:
    """How a chain is used.

    `poll_s` is the pause between looks; `landed_at` the commitment that LANDED, receipts and
    balances are read at; `reverted_at` what a failed execution must reach before it counts (with
    FINALIZED no fork can revive it, 13 s later).

    `policy` is the priority of trades without their own. Whatever the priority, `unit_price_min`
    and `unit_price_max` bound it in micro-lamports per compute unit, `priority_lamports_max` in
    lamports per transaction. `deviation_bps` is how much worse than its quote a trade may simulate.
    `lookup_tables` are the addresses of the tables that large transactions may use.
    """

    poll_s: float = 0.2
    landed_at: Commitment = Commitment.CONFIRMED
    reverted_at: Commitment = Commitment.FINALIZED
    policy: Priority = Priority.NORMAL
    unit_price_min: int = 0
    unit_price_max: int = 1_000_000
    priority_lamports_max: int = 1_000_000
    deviation_bps: int = 25
    lookup_tables: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        least = min(self.landed_at, self.reverted_at)
        assert least >= Commitment.CONFIRMED, "a processed block proves nothing"
        assert 0 <= self.unit_price_min <= self.unit_price_max
        assert self.priority_lamports_max >= 0
        assert self.deviation_bps >= 0

    @property
    def bids(self) -> Mapping[Priority, fees.Bid]:
        """Return what is offered for speed."""
        least, most = self.unit_price_min, self.unit_price_max
        return {one: fees.bid(one, price_min=least, price_max=most) for one in Priority}


_DEFAULTS: Final = Terms()


class Solana:
    """One wallet on one cluster; without its key it is looked at, and nothing can be signed."""

    def __init__(
        self,
        *,
        rpc: Rpc,
        keypair: Signer | None,
        wallet: Wallet,
        clock: Clock,
        terms: Terms = _DEFAULTS,
    ) -> None:
        assert keypair is None or wallet.address == str(keypair.pubkey()), "the wallet is the key's"
        self._rpc = rpc
        self._keypair = keypair
        self._wallet = wallet
        self._clock = clock
        self._terms = terms
        self._blockhashes = Blockhashes(rpc=rpc, clock=clock)
        self._unit_prices = UnitPrices(rpc=rpc, clock=clock, bids=terms.bids)
        self._tables = LookupTables(rpc=rpc, clock=clock, addresses=terms.lookup_tables)
        self._trials = Trials(rpc=rpc, wallet=wallet, deviation_bps=terms.deviation_bps)

    @property
    def poll_s(self) -> float:
        """Return the seconds between looks at transactions in flight."""
        return self._terms.poll_s

    async def prepare(self, trade: Trade, instructions: Sequence[Instruction]) -> Transaction:
        """Build, simulate, hold against the quote, and sign; nothing is sent.

        Raises `Refused` (`funds.insufficient`, `amount.too_small`, `amount.too_large`,
        `transaction.too_large`, `simulation.failed`, `wallet.elsewhere`) or `Unavailable`
        (`slippage.exceeded`, `quote.deviates`, `pool.gone`, `pool.moved`, `blockhash.expired`,
        `chain.busy`, `compute.exceeded`, `rpc.*`, `rpc.behind` among them).
        """
        signer = self._keypair
        if signer is None:
            raise Refused("this process has no key: a worker signs", code="wallet.elsewhere")
        try:
            return await self._prepared(trade, instructions, signer)
        except Unavailable as problem:
            if problem.code != "blockhash.expired":
                raise
        # A rolled back block takes its blockhash with it; a fresh one tells whether that was all.
        self._blockhashes.forget()
        return await self._prepared(trade, instructions, signer)

    async def measure(self) -> Callable[[Trade, Sequence[Instruction]], builder.Size]:
        """Return what tells, purely and in microseconds, how large a trade's transaction would be.

        Good for one routing: it counts with the lookup tables as they are now, or with none while
        they cannot be read.
        """
        try:
            tables = await self._tables.get()
        except Unavailable:
            tables = ()
        return partial(builder.size, wallet=self._wallet, tables=tables)

    async def try_foreign(self, trade: Trade, raw: bytes) -> tuple[Simulation, dict[str, int]]:
        """Return what another's unsigned transaction would do for a trade; see `Trials.foreign`."""
        return await self._trials.foreign(trade, raw)

    async def newest_height(self) -> int:
        """Return a height past which no blockhash this cluster knows now is valid.

        Raises `Unavailable`. Asked at processed, where a transaction may have its blockhash from,
        and with some blocks more, for nodes that stand in for each other.
        """
        config = {"commitment": "processed"}
        answer = await self._ask("getLatestBlockhash", config, answer=BlockhashAnswer)
        return answer.value.last_valid_block_height + _AHEAD_BLOCKS

    async def priority_lamports(
        self,
        instructions: Sequence[Instruction],
        *,
        compute_units: int,
        priority: Priority | None = None,
    ) -> int:
        """Return the priority fee that instructions of so many units would offer now; never fails.

        The units are those of the whole transaction, as a simulation would find them.
        """
        prices = await self._unit_prices.get(_contested(instructions, self._wallet))
        return self._offer(prices, priority, fees.compute_limit(compute_units))[1]

    def call_lamports(self, compute_units: int, priority: Priority | None = None) -> int:
        """Return what a call of so many units adds to a priority fee at the price seen last."""
        return self._offer(self._unit_prices.last, priority, fees.compute_share(compute_units))[1]

    async def send(self, transaction: Transaction) -> None:
        """Hand the bytes to the node; doing it again is harmless. Raises `Unavailable`."""
        config = {"encoding": "base64", "skipPreflight": True, "maxRetries": 0}
        try:
            await self._rpc.ask("sendTransaction", _base64(transaction.raw), config, answer=str)
        except Preflight as problem:
            # Nodes that simulate all the same say so when the bytes have landed already.
            if b"AlreadyProcessed" not in bytes(problem.data):
                raise Unavailable(problem.detail, code=problem.code) from None
        except Refused as problem:
            raise Unavailable(problem.detail, code=problem.code) from None

    async def look(self, transactions: Sequence[Transaction]) -> list[Sighting]:
        """Return the fate of each, in order.

        Raises `Unavailable` when the node does not answer: that says nothing about any fate.
        """
        sightings: list[Sighting] = []
        for start in range(0, len(transactions), _STATUSES_MAX):
            sightings += await self._look(transactions[start : start + _STATUSES_MAX])
        return [
            await self._explained(transaction, sighting)
            for transaction, sighting in zip(transactions, sightings, strict=True)
        ]

    async def receipt(self, trade: Trade, transaction: Transaction) -> Receipt:
        """Return what a LANDED transaction moved.

        Raises `Unavailable` (`receipt.pending`, `rpc.*`), or `Corrupt` (`receipt.unreadable`,
        `receipt.absurd`).
        """
        answer = await self._executed(transaction, self._terms.landed_at)
        return receipt.receipt(
            answer,
            trade=trade,
            wallet=self._wallet,
            signature=transaction.signature,
            now_ms=self._clock.now_ms(),
        )

    async def balances(self, assets: Sequence[Asset]) -> dict[str, int]:
        """Return what the wallet holds, by symbol, in base units; SOL includes wrapped SOL.

        Raises `Unavailable`.
        """
        accounts = self._wallet.token_accounts
        addresses = [self._wallet.address, *(accounts[asset.symbol] for asset in assets)]
        config = {"encoding": "base64", "commitment": self._terms.landed_at.wire}
        answer = await self._ask("getMultipleAccounts", addresses, config, answer=AccountsAnswer)
        native, *tokens = _counted(answer.value, len(addresses))
        held = {
            asset.symbol: token_amount(account)
            for asset, account in zip(assets, tokens, strict=True)
        }
        if _NATIVE in held and native is not None:
            held[_NATIVE] += native.lamports
        return held

    async def _prepared(
        self, trade: Trade, instructions: Sequence[Instruction], signer: Signer
    ) -> Transaction:
        steps = builder.instructions(trade, instructions, self._wallet)
        tables = await self._needed(trade, instructions)
        recent = await self._blockhashes.get()
        written = partial(
            builder.message,
            steps,
            payer=self._wallet.address,
            blockhash=recent.blockhash,
            tables=tables,
        )
        # Simulated at no price, or the fee of the full limit would have to be in the wallet.
        draft = written(compute_units=fees.COMPUTE_UNITS_MAX, unit_price=0)
        contested = _contested(instructions, self._wallet)
        self._unit_prices.begin(contested)  # to travel with the simulation, if it has to
        simulation = await self._trials.run(trade, draft, tables)
        prices = await self._unit_prices.get(contested)
        limit = fees.compute_limit(simulation.compute_units)
        price, lamports = self._offer(prices, trade.priority, limit)
        made = written(compute_units=limit, unit_price=price)
        signature = signer.sign_message(to_bytes_versioned(made))
        signed = VersionedTransaction.populate(made, [signature])
        return Transaction(
            raw=bytes(signed),
            signature=str(signed.signatures[0]),
            last_valid_height=recent.last_valid_height,
            simulation=msgspec.structs.replace(simulation, priority_lamports=lamports),
        )

    async def _needed(self, trade: Trade, instructions: Sequence[Instruction]) -> tuple[Table, ...]:
        named = self._terms.lookup_tables
        if not named or builder.size(trade, instructions, self._wallet).fits:
            return ()
        return await self._tables.get()

    def _offer(self, prices: Prices, priority: Priority | None, limit: int) -> tuple[int, int]:
        asked, most = prices[priority or self._terms.policy], self._terms.priority_lamports_max
        price = fees.affordable(asked, compute_units=limit, lamports_max=most)
        return price, fees.priority_lamports(price, compute_units=limit)

    async def _look(self, transactions: Sequence[Transaction]) -> list[Sighting]:
        signatures = [transaction.signature for transaction in transactions]
        slot, statuses = await self._statuses(signatures, history=False)
        old = [
            transaction
            for transaction, status in zip(transactions, statuses, strict=True)
            if status is None and monitor.may_be_expired(_sent(transaction), slot=slot)
        ]
        settled = await self._settled(old) if old else {}
        return [
            settled.get(transaction.signature) or self._sighting(transaction, status)
            for transaction, status in zip(transactions, statuses, strict=True)
        ]

    async def _settled(self, old: Sequence[Transaction]) -> dict[str, Sighting]:
        """Return what a search of history says of expired bytes; nothing when it is unanswered."""
        try:
            finality = await self._finality()
            expired = [t for t in old if monitor.is_expired(_sent(t), finality)]
            if not expired:
                return {}
            # Only now: what this search does not find has not landed up to `finality`.
            (slot, found), ledgers = await beside(
                self._statuses([t.signature for t in expired], history=True),
                self._ask,
                {monitor.window(_sent(t)) for t in expired},
            )
        except DeskError:
            return {}
        sightings = {}
        for transaction, status in zip(expired, found, strict=True):
            search = Search(status, slot, ledgers[monitor.window(_sent(transaction))])
            dead = monitor.is_dead(_sent(transaction), finality, search)
            if dead:
                self._unit_prices.missed()
            sighting = Sighting(Fate.DEAD) if dead else self._sighting(transaction, status)
            sightings[transaction.signature] = sighting
        return sightings

    async def _explained(self, transaction: Transaction, sighting: Sighting) -> Sighting:
        """Return a sighting with the reason that only the logs tell."""
        if sighting.fate is not Fate.REVERTED or sighting.code != UNKNOWN:
            return sighting
        try:
            answer = await self._executed(transaction, self._terms.reverted_at)
        except DeskError:
            # The reason decides whether another attempt helps, so it is worth another look.
            return Sighting(Fate.UNSEEN, sighting.slot)
        why = explained(answer, transaction.raw)
        if why is None:
            return sighting
        return msgspec.structs.replace(sighting, code=why.code, detail=why.detail)

    async def _executed(self, transaction: Transaction, at: Commitment) -> bytes:
        config = {"encoding": "json", "commitment": at.wire, "maxSupportedTransactionVersion": 0}
        signature = transaction.signature
        return await self._ask("getTransaction", signature, config, answer=msgspec.Raw)

    def _sighting(self, transaction: Transaction, status: Status | None) -> Sighting:
        fate = monitor.fate(status, landed=self._terms.landed_at, reverted=self._terms.reverted_at)
        if status is None or fate is not Fate.REVERTED:
            return Sighting(fate, None if status is None else status.slot)
        index = instruction_index(status.err)
        called = () if index is None else builder.programs(transaction.raw)
        why = failure(status.err, called=called)
        return Sighting(fate, status.slot, why.code, why.detail)

    async def _statuses(
        self, signatures: Sequence[str], *, history: bool
    ) -> tuple[int, list[Status | None]]:
        config = {"searchTransactionHistory": history}
        answer = await self._ask("getSignatureStatuses", signatures, config, answer=StatusesAnswer)
        return answer.context.slot, _counted(answer.value, len(signatures))

    async def _finality(self) -> Finality:
        config = {"commitment": Commitment.FINALIZED.wire}
        info = await self._ask("getEpochInfo", config, answer=EpochInfo)
        return Finality(info.absolute_slot, info.block_height)

    async def _ask(self, method: str, *params: object, answer: type[T]) -> T:
        try:
            return await self._rpc.ask(method, *params, answer=answer)
        except Refused as problem:
            # A node that refuses a question about sent bytes says nothing about their fate.
            raise Unavailable(problem.detail, code=problem.code) from None


def _sent(transaction: Transaction) -> Sent:
    return Sent(transaction.last_valid_height, transaction.simulation.slot)


def _counted(answers: list[T], count: int) -> list[T]:
    if len(answers) != count:
        raise Unavailable(f"{len(answers)} answers to {count} questions", code="rpc.unreadable")
    return answers


def _contested(instructions: Sequence[Instruction], wallet: Wallet) -> tuple[str, ...]:
    own = {wallet.address, *wallet.token_accounts.values()}
    metas = (meta for instruction in instructions for meta in instruction.accounts)
    return tuple(sorted({meta.address for meta in metas if meta.is_writable} - own))


def _base64(raw: bytes) -> str:
    return b64encode(raw).decode("ascii")
