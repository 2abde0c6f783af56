"""The import contracts know every adapter: a new one cannot slip past them unnamed."""

from configparser import ConfigParser

import pytest
from tests.tidy.tree import ROOT, text

FAMILIES = ("bus", "sources", "venues", "chains")
NO_ADAPTERS = {
    "bus.port": "the ports",
    "bus.continuity": "what of a numbered stream is new, pure",
    "bus.memory": "the bus within a process, which each that reaches further holds",
    "sources.port": "the port",
    "sources.budget": "what the questions to one source may cost",
    "sources.crowd": "the trades and books of a simulated exchange, pure",
    "sources.event_stream": "one server-sent stream of any source",
    "sources.fetching": "questions over HTTP, of any source",
    "sources.klines": "the port of candle histories",
    "sources.limits": "what a refusal means, pure",
    "sources.lines": "recordings as text, pure",
    "sources.parcels": "our own format of shared frames, pure",
    "sources.polling": "asking again and again, of any source",
    "sources.readers": "how each source's messages are read, by its name",
    "sources.reconnecting": "a connection kept alive, of any source",
    "sources.socket": "one WebSocket, of any source",
    "sources.tape": "our own recordings",
    "sources.together": "tasks of one source",
    "sources.words": "what sources speak, pure; live and recorded ones share it",
    "sources.sse": "words of server-sent events, pure",
    "sources.patience": "a deadline on one try, of any source",
    "venues.port": "the port",
    "venues.curves": "a pool's curve, walked; pure",
    "venues.depth": "how deep pools are, pure",
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
