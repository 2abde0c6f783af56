"""What every RPC method is given: cluster, clock, faults, and the bank at a commitment."""

from dataclasses import dataclass, field
from typing import Any

from solders.account import Account
from solders.pubkey import Pubkey

from quantdesk.core.clock import Clock
from quantdesk.localnet.bank import Bank
from quantdesk.localnet.cluster import Cluster
from quantdesk.localnet.faults import Faults
from quantdesk.localnet.params import Config
from quantdesk.localnet.refusals import MIN_CONTEXT_SLOT, RpcError, invalid
from quantdesk.localnet.tokens import holding, is_token_program, mint

Json = Any
API_VERSION = "4.1.2"  # of the runtime inside LiteSVM


@dataclass(slots=True)
class Node:
    """One RPC node on one cluster."""

    cluster: Cluster
    clock: Clock
    faults: Faults
    ticking: bool = True
    counts: dict[str, int] = field(default_factory=dict)  # calls answered, by method

    @property
    def bank(self) -> Bank:
        """Return the bank."""
        return self.cluster.bank

    def slot(self, options: Config) -> int:
        """Return the slot to answer from; refuses -32016 below the caller's minContextSlot."""
        slot = self.bank.slot_at(options.commitment())
        least = options.number("minContextSlot")
        if least is not None and slot < least:
            raise RpcError(
                MIN_CONTEXT_SLOT, "Minimum context slot has not been reached", {"contextSlot": slot}
            )
        return slot

    def account(self, key: Pubkey, slot: int) -> Account | None:
        """Return an account as of a slot."""
        return self.bank.state.account(key, slot=slot)

    def decimals(self, account: Account, slot: int) -> int | None:
        """Return the decimals of a token account's mint, None for other accounts."""
        held = holding(account.data) if is_token_program(account.owner) else None
        if held is None:
            return None
        coin = self.account(held.mint, slot)
        found = mint(coin.data) if coin is not None else None
        return found.decimals if found is not None else None

    def count(self, method: str) -> None:
        """Count an answered call."""
        self.counts[method] = self.counts.get(method, 0) + 1


def with_context(slot: int, value: Json) -> Json:
    """Return a value with the slot it is of."""
    return {"context": {"slot": slot, "apiVersion": API_VERSION}, "value": value}


def not_found(what: str) -> RpcError:
    """Return the error for an account that is not there."""
    return invalid(f"Invalid param: {what}")
