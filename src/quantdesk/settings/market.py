"""Settings of market data and news: where they come from, and what they may cost."""

from decimal import Decimal
from typing import Literal

from pydantic import Field

from quantdesk.settings.section import Section


class SourcesSettings(Section):
    """Where prices come from."""

    seed: int = 7
    """Of the simulated source."""
    speed: Decimal = Field(Decimal(1), gt=0, le=1000)
    """How much faster than it happened a recording is played."""
    pyth_url: str = ""
    """Base URL of a Pyth Hermes server; empty is off."""
    pyth_key: str = ""
    """API key for it, if it wants one."""
    wormhole_guardians: tuple[str, ...] = ()
    """Guardian sets beside the built-in ones, like 8:0xaddress+0xaddress…, with commas."""
    pyth_routers: tuple[str, ...] = ()
    """Sets of Pyth's routers beside the built-in ones, written alike."""
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


class NewsSettings(Section):
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
