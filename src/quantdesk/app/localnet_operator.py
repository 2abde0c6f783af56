"""The operator of the localnet: its node's own methods, asked for by the routes of the desk.

The node takes them from this machine alone, and from no web page; whoever may ask the desk for them
the desk's routes decide.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from quantdesk.api.localnet import (
    FaultError,
    FaultsRequest,
    FaultsView,
    GivenView,
    LocalnetView,
    amount_text,
)
from quantdesk.chains.solana.rpc import Rpc
from quantdesk.core.assets import ASSETS

_NATIVE: Final = "SOL"


class _Faults(msgspec.Struct, frozen=True, rename="camel"):
    drop_send: float
    duplicate: float
    delay_ms: int
    stale_slots: int
    error: FaultError | None
    methods: Sequence[str]
    probability: float
    requests: int | None
    hits: dict[str, int]


class _Slots(msgspec.Struct, frozen=True):
    processed: int
    confirmed: int
    finalized: int


class _Status(msgspec.Struct, frozen=True, rename="camel"):
    slots: _Slots
    block_height: int
    ticking: bool
    slot_ms: int
    transactions: int
    trouble: str | None
    faults: _Faults


class _Minted(msgspec.Struct, frozen=True):
    account: str


class LocalnetOperator:
    """Asks the localnet's node over a connection of its own, which its faults do not touch."""

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc

    async def status(self) -> LocalnetView:
        """Return where the localnet stands; raise `Unavailable`."""
        told = await self._rpc.ask("localnet_status", answer=_Status)
        return LocalnetView(
            slot=told.slots.processed,
            confirmed_slot=told.slots.confirmed,
            finalized_slot=told.slots.finalized,
            block_height=told.block_height,
            slot_ms=told.slot_ms,
            ticking=told.ticking,
            transactions=told.transactions,
            trouble=told.trouble or None,
            faults=_view(told.faults),
        )

    async def set_faults(self, wanted: FaultsRequest) -> FaultsView:
        """Switch to these faults, away from those before.

        Raises `Unavailable`, and `Refused` (`rpc.invalid`) for what the node does not know.
        """
        # Every switch is said, so that none of before is left on.
        switches = _switches(wanted)
        return _view(await self._rpc.ask("localnet_setFaults", switches, answer=_Faults))

    async def give(self, address: str, symbol: str, raw: int) -> GivenView:
        """Give base units of an asset; raise `Unavailable`, or `Refused` (`rpc.invalid`)."""
        tx_hash = account = None
        if symbol == _NATIVE:
            tx_hash = await self._rpc.ask("requestAirdrop", address, raw, answer=str)
        else:
            wanted = {"mint": ASSETS[symbol].mint, "owner": address, "amount": raw}
            account = (await self._rpc.ask("localnet_mintTo", wanted, answer=_Minted)).account
        return GivenView(address, symbol, amount_text(symbol, raw), tx_hash, account)


def _switches(wanted: FaultsRequest) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(wanted)
    # A seed that nobody named lets the random sequence go on.
    return {name: value for name, value in told.items() if name != "seed" or value is not None}


def _view(faults: _Faults) -> FaultsView:
    is_striking = bool(faults.delay_ms or faults.error) and faults.probability > 0
    return FaultsView(
        on=bool(faults.drop_send or faults.duplicate or faults.stale_slots or is_striking),
        drop_send=faults.drop_send,
        duplicate=faults.duplicate,
        delay_ms=faults.delay_ms,
        stale_slots=faults.stale_slots,
        error=faults.error,
        methods=list(faults.methods),
        probability=faults.probability,
        requests=faults.requests,
        hits=faults.hits,
    )
