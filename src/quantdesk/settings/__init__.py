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

from pydantic import ValidationError

from quantdesk.core.errors import Refused
from quantdesk.settings.access import (
    AccessSettings,
    ApiSettings,
    EvmSettings,
    MailSettings,
    NoticeSettings,
    OAuthSettings,
)
from quantdesk.settings.market import (
    NewsSettings,
    SourcesSettings,
)
from quantdesk.settings.section import Section
from quantdesk.settings.trading import (
    BinanceSettings,
    GuardSettings,
    JupiterSettings,
    LandingSettings,
    LocalnetSettings,
    OrdersSettings,
    PaperSettings,
    SolanaSettings,
)

Mode = Literal["paper", "localnet", "devnet", "mainnet"]

_PREFIX = "QD_"
_FILE = "quantdesk.toml"
_LISTS = frozenset(
    {
        *("pairs", "venues", "switchboard_feeds"),
        *("rss_feeds", "reddit_subreddits", "discord_channels"),
        *("trusted_proxies", "hosts", "cors_origins", "sites"),
        *("wormhole_guardians", "pyth_routers"),
    }
)


class Settings(Section):
    """All settings; sections are named as in the file."""

    mode: Mode = "localnet"
    """Where orders are executed: `paper`, `localnet`, `devnet` or `mainnet`."""
    source: str = "auto"
    """Where prices come from: auto, shared, recorded:FILE, or names with commas (binance, pyth …).
    """
    database_url: str = ""
    """A Postgres to use instead of the embedded one; `QD_DATABASE_URL`."""
    nats_url: str = ""
    """A NATS to share orders and prices with other processes by; several servers with commas. With
    tls:// at one of them, all are believed by their certificates alone.
    """
    nats_ca_file: str = ""
    """PEM file of the authority behind the certificates of NATS; empty trusts the machine's."""
    nats_cert_file: str = ""
    """PEM file of a certificate to show to NATS, where it asks for one."""
    nats_key_file: str = ""
    """PEM file of its key, readable by its owner alone."""
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
    access: AccessSettings = AccessSettings()
    mail: MailSettings = MailSettings()
    notices: NoticeSettings = NoticeSettings()
    evm: EvmSettings = EvmSettings()
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


__all__ = [
    "AccessSettings",
    "ApiSettings",
    "BinanceSettings",
    "EvmSettings",
    "GuardSettings",
    "JupiterSettings",
    "LandingSettings",
    "LocalnetSettings",
    "MailSettings",
    "Mode",
    "NewsSettings",
    "NoticeSettings",
    "OAuthSettings",
    "OrdersSettings",
    "PaperSettings",
    "Settings",
    "SolanaSettings",
    "SourcesSettings",
    "home",
    "load",
]
