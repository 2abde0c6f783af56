"""Port of the chains family: prepare a transaction, send its bytes, learn its fate.

The engine commits what `prepare` returns before it calls `send`, and sends the same bytes again
until `look` reports a fate. Nothing here decides to sign a second time: that is the engine's to do,
and only after `DEAD` or `REVERTED`.
"""

from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

import msgspec

from quantdesk.core.assets import Asset
from quantdesk.core.markets import Side


class AccountMeta(msgspec.Struct, frozen=True):
    """An account an instruction touches."""

    address: str
    is_signer: bool
    is_writable: bool


class Instruction(msgspec.Struct, frozen=True):
    """A call of an on-chain program."""

    program: str
    accounts: tuple[AccountMeta, ...]
    data: bytes


class Priority(StrEnum):
    """How much speed is worth: wait for a quiet block, go with most others, or ahead of them."""

    ECONOMY = "economy"
    NORMAL = "normal"
    URGENT = "urgent"


class Trade(msgspec.Struct, frozen=True):
    """What a transaction is meant to do, so that it can be checked before and measured after.

    SELL gives exactly `base_raw` and receives at least `quote_limit_raw`; BUY receives exactly
    `base_raw` and pays at most `quote_limit_raw`. `memo` ties the transaction to its order and
    attempt. `expected_quote_raw` is what the quote promised to receive or pay, which a simulation
    is held against; 0 says that nothing is known, and nothing is checked. `quoted_slot` is the
    newest slot the quote knew of: a simulation of an older one says nothing about it. `priority`
    says what to offer for a place in a block; None leaves it to the chain's own terms.
    """

    side: Side
    base: Asset
    quote: Asset
    base_raw: int
    quote_limit_raw: int
    memo: str
    expected_quote_raw: int = 0
    quoted_slot: int = 0
    priority: Priority | None = None


class Simulation(msgspec.Struct, frozen=True):
    """What the chain said the transaction would do, before it was signed for good.

    `base_raw` and `quote_raw` are what the wallet would gain or give of each, in base units and
    without the network fee; None where the chain does not say. `legs_quote_raw` is each pool's part
    of `quote_raw`, as in a `Receipt`. `priority_lamports` is the priority fee the signed
    transaction offers.
    """

    slot: int
    compute_units: int
    logs: tuple[str, ...]
    base_raw: int | None = None
    quote_raw: int | None = None
    priority_lamports: int = 0
    legs_quote_raw: tuple[int, ...] = ()


class Transaction(msgspec.Struct, frozen=True):
    """Signed bytes and how to recognize them.

    `last_valid_height` is the height of the last block that can hold them.
    """

    raw: bytes
    signature: str
    last_valid_height: int
    simulation: Simulation


class Wallet(msgspec.Struct, frozen=True):
    """The account the desk trades from; `token_accounts` holds its token account of each symbol."""

    address: str
    token_accounts: Mapping[str, str]


class Fate(StrEnum):
    """What is known of sent bytes.

    UNSEEN   not found, may still land      LANDED    executed, at the desk's commitment
    REVERTED executed and failed, only the fee was taken
    DEAD     proven never to have executed and never to execute
    """

    UNSEEN = "UNSEEN"
    LANDED = "LANDED"
    REVERTED = "REVERTED"
    DEAD = "DEAD"


class Sighting(msgspec.Struct, frozen=True):
    """A fate with its slot; `code` and `detail` explain a REVERTED one, and may a DEAD one."""

    fate: Fate
    slot: int | None = None
    code: str = ""
    detail: str = ""


class Receipt(msgspec.Struct, frozen=True):
    """Realized amounts, read from the transaction's balance changes, in base units.

    `base_raw` and `quote_raw` are what the wallet gained or gave (always positive); the network fee
    is in neither, also when one of the two is SOL. `legs_quote_raw` is each pool's part of
    `quote_raw`, in the order of the calls that moved the quote asset; empty where that is not
    known, as where a token takes a fee of its own. `other_fees` are those paid in an asset that is
    neither traded nor the network's, such as BNB, in whole units; they are in no other amount.
    """

    slot: int
    base_raw: int
    quote_raw: int
    network_fee_lamports: int
    block_time_ms: int
    legs_quote_raw: tuple[int, ...] = ()
    other_fees: tuple[tuple[str, Decimal], ...] = ()


class Chain(Protocol):
    """A place where transactions settle, seen by one wallet."""

    @property
    def poll_s(self) -> float:
        """Return the seconds between looks at transactions in flight."""

    async def prepare(self, trade: Trade, instructions: Sequence[Instruction]) -> Transaction:
        """Build, simulate and sign; nothing is sent.

        An error that is about one of the instructions names its place (`at`). Raises `Refused`
        (`funds.insufficient`, `simulation.failed`), or `Unavailable`
        (`slippage.exceeded`, `quote.deviates`, `pool.gone`, `rpc.unavailable`, `rpc.behind`) when a
        fresh try may do better.
        """

    async def send(self, transaction: Transaction) -> None:
        """Hand the bytes to the network; doing it again is harmless. Raises `Unavailable`."""

    async def look(self, transactions: Sequence[Transaction]) -> list[Sighting]:
        """Return the fate of each, in order.

        Raises `Unavailable` when the chain does not answer: that says nothing about any fate.
        """

    async def receipt(self, trade: Trade, transaction: Transaction) -> Receipt:
        """Return what a LANDED transaction moved.

        Raises `Unavailable` when the chain does not answer, `Corrupt` when its answer makes no
        sense.
        """

    async def balances(self, assets: Sequence[Asset]) -> dict[str, int]:
        """Return what the wallet holds, by symbol, in base units. Raises `Unavailable`."""


class AccountState(msgspec.Struct, frozen=True):
    """One account as of a slot: its data and the program that owns it.

    An account that does not exist has neither.
    """

    address: str
    data: bytes
    owner: str
    slot: int


class Accounts(Protocol):
    """A live view of chain accounts."""

    def stream(
        self, wanted: Callable[[], Collection[str]]
    ) -> AsyncGenerator[AccountState | None, None]:
        """Yield each wanted account's state, then every change; reconnects and re-reads by itself.

        `wanted` is asked again after all that is yielded, and costs little while nothing changes.
        None is a sign of life: nothing has changed, and other accounts may be wanted.
        """
