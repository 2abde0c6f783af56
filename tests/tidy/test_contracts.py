"""The import contracts know every adapter: a new one cannot slip past them unnamed."""

from configparser import ConfigParser

import pytest
from tests.tidy.tree import ROOT, text

FAMILIES = ("sources", "venues", "chains")
NO_ADAPTERS = {
    "sources.port": "the port",
    "sources.hermes": "words of Hermes, pure; live and recorded prices speak them",
    "sources.spot": "words of Binance spot, pure",
    "sources.sse": "words of server-sent events, pure",
    "sources.patience": "how long to wait for any source",
    "venues.port": "the port",
    "venues.curves": "a pool's curve, walked; pure",
    "venues.following": "a venue of on-chain pools, whichever they are; pure",
    "venues.mints": "the mints a pool depends on, pure",
    "venues.netting": "a curve less what transfers pay, pure",
    "venues.transfers": "trades less what transfers pay, pure",
    "venues.reading": "how accounts of tokens and programs read, pure",
    "venues.transfer_fee": "what Token-2022 takes of a transfer, pure",
    "chains.port": "the port",
}


def _modules(family: str) -> set[str]:
    folder = ROOT / "src/quantdesk" / family
    inside = [path for path in folder.iterdir() if path.suffix == ".py" or path.is_dir()]
    return {f"{family}.{path.stem}" for path in inside if not path.name.startswith("_")}


def _adapters() -> set[str]:
    modules = set().union(*(_modules(family) for family in FAMILIES))
    return {f"quantdesk.{module}" for module in modules - set(NO_ADAPTERS)}


def _listed(contract: str, key: str) -> set[str]:
    contracts = ConfigParser()
    contracts.read_string(text(".importlinter"))
    return set(contracts[f"importlinter:contract:{contract}"][key].split())


@pytest.mark.parametrize(
    ("contract", "key"), [("wiring", "forbidden_modules"), ("adapters", "modules")]
)
def test_every_adapter_is_in_the_contract(contract: str, key: str) -> None:
    assert _listed(contract, key) == _adapters()


def test_the_localnet_may_name_only_venues_with_pools() -> None:
    allowed = _adapters() - _listed("localnet", "forbidden_modules")

    assert allowed == {"quantdesk.venues.raydium", "quantdesk.venues.meteora"}


def test_what_is_said_to_be_no_adapter_exists() -> None:
    assert set(NO_ADAPTERS) <= set().union(*(_modules(family) for family in FAMILIES))
