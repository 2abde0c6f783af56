"""Settings: every knob of the desk, typed, its unit in its name.

They come, in rising order, from `<home>/quantdesk.toml`, the environment (`QD_ORDERS__LEASE_S`),
and flags (`--set orders.lease_s=5`). A name nobody knows stops the start: a limit that is written
down is enforced or refused, never dropped. This file alone reads the environment.
"""

import os
import tomllib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from quantdesk.core.errors import Refused

Mode = Literal["paper", "localnet", "devnet", "mainnet"]

_PREFIX = "QD_"
_FILE = "quantdesk.toml"
_LISTS = frozenset(
    {
        *("pairs", "venues", "switchboard_feeds"),
        *("rss_feeds", "reddit_subreddits", "discord_channels"),
    }
)


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class OrdersSettings(_Section):
    """How orders are executed."""

    rate_per_minute: int | None = Field(None, ge=0)
    """Executions that may start per minute; 0 is off. Unset: 100 on devnet and mainnet."""
    in_flight_per_wallet: int | None = Field(None, ge=0)
    """Executions at once per wallet; 0 is off. Unset: 10 on devnet and mainnet."""
    open_max: int = Field(100_000, ge=1)
    """Open orders the desk accepts before it says 503."""
    lease_s: float = Field(10.0, ge=0.05)
    """Seconds after which another desk takes over the orders of one that died."""


class PaperSettings(_Section):
    """The paper venue."""

    latency_ms: int = Field(400, ge=0)
    """From sending to landing."""
    fee_bps: int = Field(10, ge=0, le=1_000)
    """What a fill costs on top of the reference price."""


class LocalnetSettings(_Section):
    """The local Solana cluster."""

    slot_ms: int = Field(400, ge=10)
    """Length of a slot."""
    depth_usd: Decimal = Field(Decimal(5_000_000), gt=0)
    """Liquidity of each pool on each side at the start."""


class SolanaSettings(_Section):
    """The node of devnet and mainnet."""

    rpc_url: str = ""
    """Its JSON-RPC, such as `https://HOST/?api-key=KEY`; only its host is ever shown."""
    ws_url: str = ""
    """Its PubSub; empty is `rpc_url` with ws in place of http."""


class JupiterSettings(_Section):
    """Jupiter as a rival of the pools, for sales; on mainnet only."""

    url: str = ""
    """Base URL of its API, such as `https://api.jup.ag`; empty is off."""
    api_key: str = ""
    """Key of its API; empty asks without one."""


class BinanceSettings(_Section):
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


class SourcesSettings(_Section):
    """Where prices come from."""

    seed: int = 7
    """Of the simulated source."""
    speed: Decimal = Field(Decimal(1), gt=0, le=1000)
    """How much faster than it happened a recording is played."""
    pyth_url: str = ""
    """Base URL of a Pyth Hermes server; empty is off."""
    pyth_key: str = ""
    """API key for it, if it wants one."""
    binance_stream_url: str = ""
    """Base URL of Binance spot's streams, where it is not the public one."""
    binance_rest_url: str = ""
    """Base URL of Binance spot's market data, where it is not the public one."""
    futures_stream_url: str = ""
    """Base URL of Binance USD-M's streams, where it is not the public one."""
    futures_rest_url: str = ""
    """Base URL of Binance USD-M's market data, where it is not the public one."""
    switchboard_url: str = ""
    """Base URL of a Switchboard Crossbar; empty is off."""
    switchboard_feeds: tuple[str, ...] = ()
    """Its feeds, like BTC=<public key>, with commas."""
    switchboard_network: Literal["mainnet", "devnet"] = "mainnet"
    """The network of those feeds."""
    record_hours: float = Field(24, ge=0)
    """Hours for which raw messages are kept on tape in <home>/tapes; 0 is off."""
    record_megabytes: int = Field(2_000, ge=10)
    """The most all tapes may take."""
    keep_ticks_days: int = Field(7, ge=1)
    """Days for which sampled prices are kept in the database."""
    backfill_hours: int = Field(6, ge=0, le=24)
    """Hours of which missing candles are asked of live Binance while the desk runs; 0 is off."""


class NewsSettings(_Section):
    """News, and what may be spent on it; a source without its key is off."""

    rss_feeds: tuple[str, ...] = (
        "https://www.coindesk.com/arc/outboundfeeds/rss/",
        "https://cointelegraph.com/rss",
    )
    """Feeds of news, with commas; empty is off."""
    days: int = Field(90, ge=1)
    """Days for which news is kept."""
    cryptopanic_key: str = ""
    """API key of CryptoPanic; empty is off."""
    cryptopanic_plan: str = "developer"
    """Plan of that key, part of the address."""
    cryptopanic_requests_per_day: int = Field(140, ge=0)
    """Requests of one UTC day."""
    reddit_client_id: str = ""
    """App of Reddit; empty is off."""
    reddit_client_secret: str = ""
    """Its secret."""
    reddit_subreddits: tuple[str, ...] = ("CryptoCurrency", "solana", "Bitcoin", "ethereum")
    """Subreddits, with commas, without r/."""
    reddit_requests_per_day: int = Field(400, ge=0)
    """Requests of one UTC day."""
    x_token: str = ""
    """Bearer token of X; empty is off."""
    x_query: str = ""
    """What to search; empty is the assets' cashtags."""
    x_posts: int = Field(10, ge=10, le=100)
    """Posts an answer may hold."""
    x_post_usd: Decimal = Field(Decimal("0.005"), ge=0)
    """US dollars X takes for a post."""
    x_usd_per_day: Decimal = Field(Decimal(1), ge=0)
    """US dollars of one UTC day."""
    x_requests_per_day: int = Field(200, ge=0)
    """Requests of one UTC day."""
    discord_token: str = ""
    """Token of a bot with the Message Content intent; empty is off."""
    discord_channels: tuple[str, ...] = ()
    """Ids of the channels it listens to, with commas."""
    discord_requests_per_day: int = Field(500, ge=0)
    """Connections of one UTC day."""


class GuardSettings(_Section):
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


class LandingSettings(_Section):
    """How transactions get into a block, and what that may cost."""

    policy: Literal["economy", "normal", "urgent"] = "normal"
    """What a block's space is worth: less than most pay, as most, or more."""
    priority_lamports_max: int = Field(1_000_000, ge=0)
    """The most a transaction offers beside its base fee."""
    deviation_bps: int = Field(25, ge=0, le=10_000)
    """How much worse than quoted a trade may simulate before it is quoted anew."""


class ApiSettings(_Section):
    """The HTTP and WebSocket edge."""

    host: str = "127.0.0.1"
    """Address to listen on; other than loopback only behind TLS."""
    port: int = Field(4000, ge=0, le=65_535)
    """Port to listen on; 0 takes a free one."""


class Settings(_Section):
    """All settings; sections are named as in the file."""

    mode: Mode = "localnet"
    """Where orders are executed: `paper`, `localnet`, `devnet` or `mainnet`."""
    source: str = "auto"
    """Where prices come from: auto, recorded:FILE, or names with commas (binance, pyth …)."""
    database_url: str = ""
    """A Postgres to use instead of the embedded one; `QD_DATABASE_URL`."""
    orders: OrdersSettings = OrdersSettings()
    paper: PaperSettings = PaperSettings()
    localnet: LocalnetSettings = LocalnetSettings()
    solana: SolanaSettings = SolanaSettings()
    jupiter: JupiterSettings = JupiterSettings()
    binance: BinanceSettings = BinanceSettings()
    sources: SourcesSettings = SourcesSettings()
    news: NewsSettings = NewsSettings()
    guard: GuardSettings = GuardSettings()
    landing: LandingSettings = LandingSettings()
    api: ApiSettings = ApiSettings()


def home(flag: Path | None) -> Path:
    """Return the data folder: the flag, else `QD_HOME`, else `~/.quantdesk`."""
    chosen = flag or Path(os.environ.get("QD_HOME") or Path.home() / ".quantdesk")  # noqa: TID251
    return chosen.expanduser().absolute()


def load(folder: Path, *, flags: Sequence[str] = ()) -> Settings:
    """Return the settings of a data folder; flags read `section.name=value`.

    Raises `Refused` (`settings.unreadable`, `settings.unknown`, `settings.invalid`) with every key
    that is wrong.
    """
    merged: dict[str, Any] = {}
    for source in (_file(folder / _FILE), _environment(os.environ), _flags(flags)):  # noqa: TID251
        _merge(merged, source)
    try:
        return Settings.model_validate(merged)
    except ValidationError as problem:
        raise _told(problem) from None


def _file(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        return tomllib.loads(path.read_text(), parse_float=Decimal)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise Refused(f"{path}: {problem}", code="settings.unreadable") from problem


def _environment(variables: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in variables.items():
        if name.startswith(_PREFIX) and name != "QD_HOME":
            _put(found, name.removeprefix(_PREFIX).lower().split("__"), value)
    return found


def _flags(flags: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for flag in flags:
        name, equals, value = flag.partition("=")
        if not equals:
            raise Refused(f"--set {flag}: write section.name=value", code="settings.unreadable")
        _put(found, name.strip().split("."), value)
    return found


def _put(found: dict[str, Any], path: Sequence[str], value: str) -> None:
    *sections, name = path
    for section in sections:
        found = found.setdefault(section, {})
        if not isinstance(found, dict):
            raise Refused(f"{section} is not a section", code="settings.unknown")
    # A list is written with commas; an empty value is an empty list or string, as its type says.
    found[name] = tuple(filter(None, value.split(","))) if name in _LISTS else value


def _merge(into: dict[str, Any], source: Mapping[str, Any]) -> None:
    for name, value in source.items():
        if isinstance(value, dict) and isinstance(into.get(name), dict):
            _merge(into[name], value)
        else:
            into[name] = value


def _told(problem: ValidationError) -> Refused:
    faults = problem.errors(include_url=False, include_input=False)
    lines = [
        f"{'.'.join(str(part) for part in fault['loc'])}: "
        + ("there is no such setting" if fault["type"] == "extra_forbidden" else fault["msg"])
        for fault in faults
    ]
    unknown = any(fault["type"] == "extra_forbidden" for fault in faults)
    code = "settings.unknown" if unknown else "settings.invalid"
    return Refused("; ".join(lines), code=code)
