"""Try a message before it is signed: what it computes, what it moves, what is wrong with it.

A node of today tells the balances before and after with the simulation itself, so that one question
does, and tells each pool's part. An older one is asked for the wallet's accounts before and after
in one request. There a trade of the same wallet that lands in between may raise a false alarm,
which costs a new quote.
"""

import asyncio
from base64 import b64encode
from collections.abc import Sequence
from typing import Any, Final

from solders.message import Message, MessageV0, MessageV1
from solders.transaction import VersionedTransaction

from quantdesk.chains.port import Simulation, Trade, Wallet
from quantdesk.chains.solana import builder, parts, simulated
from quantdesk.chains.solana.answers import AccountsAnswer, SimulationAnswer, SimulationResult
from quantdesk.chains.solana.failures import failure, instruction_index
from quantdesk.chains.solana.rpc import BEHIND, Rpc
from quantdesk.chains.solana.simulated import Moved
from quantdesk.chains.solana.tables import Table
from quantdesk.core.errors import DeskError, Refused, Unavailable
from quantdesk.core.markets import Side

_SIGNATURE_LAMPORTS: Final = 5_000  # https://solana.com/docs/core/fees
_COMMITMENT: Final = "processed"


class Trials:
    """Simulations of one wallet's trades; `deviation_bps` is how much worse than quoted is fine."""

    def __init__(self, *, rpc: Rpc, wallet: Wallet, deviation_bps: int) -> None:
        self._rpc = rpc
        self._wallet = wallet
        self._deviation_bps = deviation_bps
        self._tells_balances = True

    async def run(self, trade: Trade, message: MessageV0, tables: Sequence[Table]) -> Simulation:
        """Return what an unsigned message at a unit price of zero would do.

        `tables` are those it was compiled with. Raises what the chain refuses it for (`failures`),
        `Unavailable` (`quote.deviates`, `rpc.*`; `rpc.behind` from a node that has not seen yet
        what the quote is of).
        """
        raw = b64encode(bytes(builder.unsigned(message))).decode("ascii")
        if self._tells_balances or not trade.expected_quote_raw:
            answer = await self._simulated(raw)
            found = self._told(trade, answer.value, message, tables)
            if found or answer.value.err is not None or not trade.expected_quote_raw:
                return self._judged(trade, message, answer, found)
            self._tells_balances = False
        answer, found = await self._tried_apart(trade, raw, _fee(message))
        return self._judged(trade, message, answer, found)

    async def foreign(self, trade: Trade, raw: bytes) -> tuple[Simulation, dict[str, int]]:
        """Return what another's unsigned transaction would do as it is, blockhash included.

        With it what the wallet would lose of assets that are not traded, by mint. Raises as `run`;
        `rpc.unreadable` too when the node does not tell balances.
        """
        content = VersionedTransaction.from_bytes(raw).message
        answer = await self._simulated(b64encode(raw).decode("ascii"))
        result, logs = answer.value, tuple(answer.value.logs or ())
        if result.err is not None:
            raise failure(result.err, logs=logs, called=builder.called(content)).error()
        known = [str(key) for key in content.account_keys]
        # Accounts of lookup tables follow; nobody's own are among them.
        places = len(result.pre_balances or ())
        keys = [*known, *(f"looked up {at}" for at in range(len(known), places))]
        holdings = simulated.told(result, keys)
        if holdings is None or result.units_consumed is None:
            raise Unavailable("the node did not say what it moved", code="rpc.unreadable")
        fee = _fee(content) if result.fee is None else result.fee
        found = simulated.moved(trade, self._wallet, holdings, fee=fee)
        seen = _simulation(answer.context.slot, result.units_consumed, logs, found)
        return seen, simulated.lost(result, trade, self._wallet, holdings)

    def _told(
        self, trade: Trade, result: SimulationResult, message: MessageV0, tables: Sequence[Table]
    ) -> Moved | None:
        keys = builder.keys(message, tables)
        holdings = simulated.told(result, keys)
        if holdings is None:
            return None
        fee = _fee(message) if result.fee is None else result.fee
        found = simulated.moved(trade, self._wallet, holdings, fee=fee)
        balances = result.pre_token_balances, result.post_token_balances
        gained = parts.outside(balances, asset=trade.quote, wallet=self._wallet, keys=keys)
        calls = [step.accounts for step in message.instructions]
        own = -found.quote_raw if trade.side is Side.BUY else found.quote_raw
        return found._replace(legs_quote_raw=parts.by_call(gained, calls, total=own))

    async def _tried_apart(
        self, trade: Trade, raw: str, fee: int
    ) -> tuple[SimulationAnswer, Moved | None]:
        own = [self._wallet.address, *self._wallet.token_accounts.values()]
        wanted = {"encoding": "base64", "addresses": own}
        config = {"encoding": "base64", "commitment": _COMMITMENT}
        # Asked in one turn, so that both travel in one request.
        known, answer = await asyncio.gather(
            self._rpc.ask("getMultipleAccounts", own, config, answer=AccountsAnswer),
            self._simulated(raw, accounts=wanted),
        )
        accounts = answer.value.accounts
        if answer.value.err is not None or accounts is None:
            return answer, None
        holdings = simulated.read(own, known.value), simulated.read(own, accounts)
        charged = fee if answer.value.fee is None else answer.value.fee
        return answer, simulated.moved(trade, self._wallet, holdings, fee=charged)

    def _judged(
        self, trade: Trade, message: MessageV0, answer: SimulationAnswer, found: Moved | None
    ) -> Simulation:
        result = answer.value
        logs = tuple(result.logs or ())
        if answer.context.slot < trade.quoted_slot:
            raise Unavailable(
                f"the node tried the trade at slot {answer.context.slot}; its quote is of slot "
                f"{trade.quoted_slot}",
                code=BEHIND,
            )
        if result.err is not None:
            raise _failed(result.err, logs, message)
        if result.units_consumed is None:
            raise Unavailable("the node did not say what it computed", code="rpc.unreadable")
        if found is None:
            if trade.expected_quote_raw:
                raise Unavailable("the node did not say what it moved", code="rpc.unreadable")
            return Simulation(answer.context.slot, result.units_consumed, logs)
        try:
            simulated.check(trade, found, deviation_bps=self._deviation_bps)
        except Unavailable as problem:
            problem.at = 0 if len(builder.swaps_at(message)) == 1 else None
            raise
        return _simulation(answer.context.slot, result.units_consumed, logs, found)

    async def _simulated(self, raw: str, **more: object) -> SimulationAnswer:
        config: dict[str, Any] = {
            "encoding": "base64",
            "sigVerify": False,
            "commitment": _COMMITMENT,
            **more,
        }
        try:
            return await self._rpc.ask("simulateTransaction", raw, config, answer=SimulationAnswer)
        except Refused as problem:
            raise Refused(problem.detail, code="simulation.failed") from None


def _failed(problem: object, logs: Sequence[str], message: MessageV0) -> DeskError:
    error = failure(problem, logs=logs, called=builder.called(message)).error()
    index, places = instruction_index(problem), builder.swaps_at(message)
    error.at = places.index(index) if index in places else None
    return error


def _fee(message: Message | MessageV0 | MessageV1) -> int:
    return _SIGNATURE_LAMPORTS * message.header.num_required_signatures


def _simulation(slot: int, units: int, logs: tuple[str, ...], found: Moved) -> Simulation:
    return Simulation(
        slot, units, logs,
        base_raw=found.base_raw, quote_raw=found.quote_raw, legs_quote_raw=found.legs_quote_raw,
    )  # fmt: skip
