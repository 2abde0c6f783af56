"""The promise: the report on fills draws what the desk knows, and says what to do without any."""

import csv
import json
import re

from tests.flow.cli.desk import Home


def test_without_fills_it_says_what_to_do(home: Home) -> None:
    home.up()
    said = home.run("quality")
    assert said.code == 0
    assert "no fills yet; place an order: quantdesk order buy" in said.err
    assert json.loads(home.run("quality", "--json").out)["rows"] == []
    assert "no fills yet" in home.run("quality", "--venue", "nowhere").err
    assert home.run("quality", "--as", "csv").out.startswith("orderId,leg,legs,")


def test_without_a_desk_it_says_how_to_start_one(home: Home) -> None:
    said = home.run("quality")
    assert said.code == 1
    assert "quantdesk up" in said.err


def test_it_shows_costs_by_venue_as_table_and_bars(desk: Home) -> None:
    assert desk.run("order", "sell", "1", "SOL-USDC", "--watch").code == 0
    desk.started[0].until(lambda: json.loads(desk.run("quality", "--json").out)["rows"] != [])

    said = desk.run("quality", "--pair", "sol/usdc", "--since", "1h")

    lines = said.out.splitlines()
    assert said.code == 0, said.err
    titles = "venue pair fills cost ± simulated 10 s 1 min 5 min bias"
    assert re.sub(" +", " ", lines[0]).strip() == titles
    row = next(line for line in lines if "SOL-USDC" in line)
    assert re.search(r"SOL-USDC +\d+ +[+-]\d+\.\d\d ", row)
    assert "positive is worse for you" in said.out
    venue = row.split()[0]
    assert any(line.lstrip().startswith(f"{venue}, cost bps") for line in lines)
    assert "█" in said.out
    assert desk.run("quality", "--venue", venue.upper()).out.startswith("venue")
    elsewhere = desk.run("quality", "--venue", "nowhere").err
    assert elsewhere.startswith("no fills match")
    assert f"SOL-USDC on {venue}" in elsewhere


def test_it_shows_every_leg_with_its_prices(desk: Home) -> None:
    assert desk.run("order", "buy", "1", "SOL-USDC", "--watch").code == 0
    desk.started[0].until(lambda: json.loads(desk.run("quality", "--json").out)["rows"] != [])
    rows = json.loads(desk.run("quality", "--json").out)["rows"]

    shown = desk.run("quality", "--as", "fills", "--venue", rows[0]["venue"]).out.splitlines()
    sheet = list(csv.DictReader(desk.run("quality", "--as", "csv").out.splitlines()))

    titles = "time (UTC) order venue side amount quoted simulated landed 10 s 1 min 5 min cost bps"
    assert re.sub(" +", " ", shown[0]).strip() == titles
    assert f"…{rows[0]['orderId'][-12:]}" in shown[1]
    assert [row["orderId"] for row in sheet] == [row["orderId"] for row in rows]
    for told, row in zip(sheet, rows, strict=True):
        assert (told["quoted"], told["landed"]) == (row["quoted"], row["landed"])
        assert told["quotedToLandedBps"] == row["costBps"]["quotedToLanded"]
        assert set(row) - set(told) == {"costBps", "provenance"}, "all the API tells of a leg"


def test_what_it_cannot_read_is_refused_with_an_example(desk: Home) -> None:
    said = desk.run("quality", "--since", "yesterday")
    assert said.code == 1
    assert said.err.startswith("since.unreadable: yesterday is no time: write 24h")
    assert desk.run("quality", "--as", "cake").err.startswith("view.unknown: cake is no view")
    assert desk.run("quality", "--pair", "DOGE").err.startswith("pair.unknown: ")
