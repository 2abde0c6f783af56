"""An answer that was lost is asked for again, however long after: the order is there, once."""

from collections.abc import Iterator

import pytest
from tests.flow.process.running import PAPER, Process, desk, homes

SELL = {"pair": "SOL-USDC", "amount": 1.5, "direction": "SELL"}


@pytest.fixture
def paper() -> Iterator[Process]:
    with homes() as folder, desk(folder / "home", *PAPER) as started:
        started.start()
        yield started


def test_finds_the_order_of_a_quote_that_is_over(paper: Process) -> None:
    quoted = {**SELL, "quoteId": paper.preview(SELL).body["quoteId"]}
    first = paper.post(quoted, key="lost")
    paper.stop()
    paper.start()  # a desk that was started anew knows none of the quotes before

    again, another = paper.post(quoted, key="lost"), paper.post(quoted, key="other")

    assert (first.status, again.status) == (201, 200)
    assert again.body["orderId"] == first.body["orderId"]
    assert (another.status, another.body["code"]) == (409, "quote.expired")
    assert [order["orderId"] for order in paper.orders()] == [first.body["orderId"]]
