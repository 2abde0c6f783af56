"""The promise: a quote shows price, bound, fees and route of an order that nobody placed."""

import json

from tests.flow.cli.desk import Home


def test_a_quote_shows_what_an_order_would_get_and_places_none(desk: Home) -> None:
    before = json.loads(desk.run("orders", "--json").out)["orders"]

    said = desk.run("quote", "buy", "2", "sol/usdc", "--limit", "1")

    assert said.code == 0, said.err
    assert "BUY 2 SOL; nothing was placed" in said.out
    assert "USDC per SOL, expected" in said.out
    assert "at most 2 USDC\n" in said.out, "what its limit price allows"
    for fact in ("impact ", "pool fees ", "network fee ", "route ", "share", "gap "):
        assert fact in said.out
    assert json.loads(desk.run("orders", "--json").out)["orders"] == before


def test_a_quote_in_json_is_the_desks_own(desk: Home) -> None:
    told = json.loads(desk.run("quote", "sell", "0.5", "SOL-USDC", "--json").out)

    assert (told["direction"], told["amount"]) == ("SELL", "0.5")
    assert float(told["minimumReceived"]) < float(told["executionPrice"])


def test_what_cannot_be_quoted_says_why(desk: Home) -> None:
    assert desk.run("quote", "buy", "1", "DOGE").err.startswith("pair.unknown: ")
    assert desk.run("quote", "buy", "0.0000000001", "SOL-USDC").err.startswith("amount.precision")
