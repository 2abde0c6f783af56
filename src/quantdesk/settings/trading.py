"""Settings of trading: how orders are executed, where, and within which bounds."""

from decimal import Decimal
from typing import Literal

from pydantic import Field

from quantdesk.settings.section import Section


class OrdersSettings(Section):
    """How orders are executed."""

    rate_per_minute: int | None = Field(None, ge=0)
    """Executions that may start per minute; 0 is off. Unset: 100 on devnet and mainnet."""
    in_flight_per_wallet: int | None = Field(None, ge=0)
    """Executions at once per wallet; 0 is off. Unset: 10 on devnet and mainnet."""
    open_max: int = Field(100_000, ge=1)
    """Open orders the desk accepts before it says 503."""
    lease_s: float = Field(10.0, ge=0.05)
    """Seconds after which another desk takes over the orders of one that died."""


class PaperSettings(Section):
    """The paper venue."""

    latency_ms: int = Field(400, ge=0)
    """From sending to landing."""
    fee_bps: int = Field(10, ge=0, le=1_000)
    """What a fill costs on top of the reference price."""


class LocalnetSettings(Section):
    """The local Solana cluster."""

    slot_ms: int = Field(400, ge=10)
    """Length of a slot."""
    depth_usd: Decimal = Field(Decimal(5_000_000), gt=0)
    """Liquidity of each pool on each side at the start."""


class SolanaSettings(Section):
    """The node of devnet and mainnet."""

    rpc_url: str = ""
    """Its JSON-RPC, such as `https://HOST/?api-key=KEY`; only its host is ever shown."""
    ws_url: str = ""
    """Its PubSub; empty is `rpc_url` with ws in place of http."""


class JupiterSettings(Section):
    """Jupiter as a rival of the pools, for sales; on mainnet only."""

    url: str = ""
    """Base URL of its API, such as `https://api.jup.ag`; empty is off."""
    api_key: str = ""
    """Key of its API; empty asks without one."""


class BinanceSettings(Section):
    """An account at Binance spot as a rival of the pools; on devnet and mainnet only."""

    url: str = ""
    """Base URL of its REST API, such as `https://api.binance.com`; empty is off."""
    ws_url: str = ""
    """Market data streams, such as `wss://stream.binance.com:9443`."""
    reports_url: str = ""
    """WebSocket API, such as `wss://ws-api.binance.com/ws-api/v3`; empty waits for looks alone."""
    key: str = ""
    """Name of the API key."""
    secret_file: str = ""
    """File (mode 0600) with its secret, or with an Ed25519 key in PEM."""
    pairs: tuple[str, ...] = ("SOL-USDC", "SOL-USDT")
    """Pairs traded there, with commas. Its BTC and ETH are not the tokens that pools trade."""


class GuardSettings(Section):
    """What the desk may do; see `guard/check.py`. Unset bounds depend on the mode."""

    halted: bool = False
    """Refuse every order."""
    pairs: tuple[str, ...] | None = None
    """The only pairs that may trade, with commas; unset is all."""
    venues: tuple[str, ...] | None = None
    """The only venues that may be traded at, with commas; unset is all."""
    order_notional_usd_max: Decimal | None = Field(None, gt=0)
    """US dollars of one order; 1,000,000 unless written down, on mainnet 1,000."""
    day_notional_usd_max: Decimal | None = Field(None, gt=0)
    """US dollars of one UTC day; 100,000,000 unless written down, on mainnet 10,000."""
    open_orders_max: int | None = Field(None, ge=1)
    """Open orders of one account."""
    slippage_bps_max: int | None = Field(None, ge=0, le=10_000)
    """The largest slippageBps an order may ask for."""
    price_age_ms_max: int = Field(10_000, ge=1)
    """How old a reference price may be to trade on."""
    pool_age_ms_max: int = Field(5_000, ge=1)
    """How long ago the chain of the pools may have been heard of."""
    price_band_bps_max: int = Field(500, ge=1, le=10_000)
    """How far from the reference price a route may trade."""


class LandingSettings(Section):
    """How transactions get into a block, and what that may cost."""

    policy: Literal["economy", "normal", "urgent"] = "normal"
    """What speed is worth: less than most pay, as most, or more; an order's own priority wins."""
    priority_lamports_max: int = Field(1_000_000, ge=0)
    """The most a transaction offers beside its base fee."""
    deviation_bps: int = Field(25, ge=0, le=10_000)
    """How much worse than quoted a trade may simulate before it is quoted anew."""
