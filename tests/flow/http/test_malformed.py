"""Whatever is sent, the answer is a problem a person understands, and nothing is stored."""

import asyncio
import json
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.flow.http.client import PROBLEM, SELL, Client
from tests.flow.process.running import Process

from quantdesk.api.malformed import HOW

pytestmark = pytest.mark.anyio

DECODER_WORDS = ("`", "$.", "Expected", "msgspec", "codec", "Enum", "Object ", "Input data")
HUGE = "9" * 400
DEEP = "[" * 30_000


def order(amount: str = "1", more: str = "") -> bytes:
    """Return an order spelled by hand."""
    return f'{{"pair":"SOL-USDC","amount":{amount},"direction":"SELL"{more}}}'.encode()


BODIES = {
    "empty": b"",
    "blank": b" \n ",
    "no JSON": b"order please",
    "cut short": b'{"pair":"SOL-USDC"',
    "two values": order() + b" 1",
    "a list": b"[]",
    "null": b"null",
    "a number": b"1",
    "not UTF-8": b'{"pair":"\xff"}',
    "half a surrogate": b'{"pair":"\\ud800","amount":1,"direction":"BUY"}',
    "a byte order mark": b"\xef\xbb\xbf" + order(),
    "deep list": DEEP.encode(),
    "deep amount": order(DEEP),
    "unknown field": order(more=',"foo":1'),
    "long unknown field": order(more=f',"{"x" * 5000}":1'),
    "pair missing": b'{"amount":1,"direction":"BUY"}',
    "amount missing": b'{"pair":"SOL-USDC","direction":"BUY"}',
    "direction missing": b'{"pair":"SOL-USDC","amount":1}',
    "pair a number": b'{"pair":1,"amount":1,"direction":"BUY"}',
    "lower-case direction": b'{"pair":"SOL-USDC","amount":1,"direction":"buy"}',
    "text amount": order('"1"'),
    "true amount": order("true"),
    "null amount": order("null"),
    "list amount": order("[1]"),
    "object amount": order('{"value":1}'),
    "NaN": order("NaN"),
    "Infinity": order("Infinity"),
    "zero": order("0"),
    "minus zero": order("-0.0"),
    "minus one": order("-1"),
    "leading zero": order("01"),
    "plus one": order("+1"),
    "hundreds of digits": order(HUGE),
    "exponent beyond decimals": order("1e99999999999999999999"),
    "exponent below decimals": order("1e-99999999999999999999"),
    "text limitPrice": order(more=',"limitPrice":"1"'),
    "limitPrice zero": order(more=',"limitPrice":0'),
    "slippage below": order(more=',"slippageBps":-1'),
    "slippage above": order(more=',"slippageBps":10001'),
    "slippage a fraction": order(more=',"slippageBps":0.5'),
    "slippage true": order(more=',"slippageBps":true'),
    "slippage huge": order(more=f',"slippageBps":{HUGE}'),
    "priority unknown": order(more=',"priority":"highest"'),
    "priority in capitals": order(more=',"priority":"URGENT"'),
    "priority a number": order(more=',"priority":1'),
    "quoteId no UUID": order(more=',"quoteId":"mine"'),
    "expiresAt no time": order(more=',"limitPrice":1,"expiresAt":"tomorrow"'),
    "expiresAt without zone": order(more=',"limitPrice":1,"expiresAt":"2030-01-01T00:00:00"'),
    "expiresAt a number": order(more=',"limitPrice":1,"expiresAt":1900000000'),
    "expiresAt at the end of time": order(
        more=',"limitPrice":1,"expiresAt":"9999-12-31T23:59:59-23:59"'
    ),
    "expiresAt at its beginning": order(
        more=',"limitPrice":1,"expiresAt":"0001-01-01T00:00:00+23:59"'
    ),
    "expiresAt of an order that does not wait": order(more=',"expiresAt":"2030-01-01T00:00:00Z"'),
    "empty key": order(more=',"idempotencyKey":""'),
    "long key": order(more=f',"idempotencyKey":"{"k" * 129}"'),
    "key with NUL": order(more=',"idempotencyKey":"\\u0000"'),
    "key with a header": order(more=',"idempotencyKey":"k\\r\\nSet-Cookie: a=b"'),
    "key a number": order(more=',"idempotencyKey":7'),
    "amount twice": order(more=',"amount":1000'),
    "amount twice, once escaped": order(more=',"\\u0061mount":1000,"pair":"SOL-USDC"'),
}
RULES = {
    "unknown pair": (b'{"pair":"SOL-DOGE","amount":1,"direction":"BUY"}', "pair.unknown"),
    "long pair": (
        b'{"pair":"%s","amount":1,"direction":"BUY"}' % (b"A" * 60_000), "pair.unknown"),
    "pair with NUL": (b'{"pair":"\\u0000","amount":1,"direction":"BUY"}', "pair.unknown"),
    "finer than decimals": (order("0.0000000001"), "amount.precision"),
    "finer by far": (order("1.0000000000000000000000000000001"), "amount.precision"),
    "fine beyond scaling": (order("1e-9999999"), "amount.precision"),
    "as fine as decimals go": (order("1e-999999999999999999"), "amount.precision"),
    "more than fits": (order("9223372036.854775808"), "amount.too_large"),
    "a large exponent": (order("1e30"), "amount.too_large"),
    "a huge exponent": (order("1e999999"), "amount.too_large"),
    "more than the limit": (order("1e9"), "limit.order_notional"),
    "limitPrice no database holds": (order(more=',"limitPrice":1e200000'), "limit_price.range"),
    "limitPrice too fine": (order(more=',"limitPrice":1e-20000'), "limit_price.range"),
}  # fmt: skip


@pytest.mark.parametrize("path", ["/api/orders", "/api/orders/preview"])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_says_what_is_wrong_with_a_body(client: Client, path: str, body: bytes) -> None:
    answer = await client.post(path, body)

    assert (answer.status, answer.code) == (400, "request.malformed")
    assert answer.body["retryable"] is False
    assert len(answer.body["detail"]) < 250
    assert not any(word in answer.body["detail"] for word in DECODER_WORDS), answer.body["detail"]


@pytest.mark.parametrize(("body", "code"), RULES.values(), ids=RULES)
async def test_names_the_rule_that_an_order_breaks(client: Client, body: bytes, code: str) -> None:
    answer = await client.order(body)

    assert (answer.status, answer.code) == (422, code)
    assert len(answer.body["detail"]) < 250


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (BODIES["lower-case direction"], 'direction must be "BUY" or "SELL"'),
        (BODIES["cut short"], "the body is not JSON: it ends too early"),
        (BODIES["amount twice"], "amount is there twice; say it once"),
        (BODIES["deep amount"], "the body is nested too deeply"),
        (
            BODIES["pair missing"],
            'pair is missing: pair must be text such as "SOL-USDC"',
        ),
        (
            BODIES["unknown field"],
            'there is no field "foo"; an order has ' + ", ".join(HOW),
        ),
    ],
)
async def test_speaks_to_a_person(client: Client, body: bytes, detail: str) -> None:
    assert (await client.order(body)).body["detail"] == detail


async def test_takes_a_name_for_a_value(client: Client) -> None:
    assert (await client.order(order(more=',"idempotencyKey":"amount"'))).status == 201


@pytest.mark.parametrize("content_type", ["text/plain", "", "application/x-www-form-urlencoded"])
async def test_takes_nothing_but_json(client: Client, content_type: str) -> None:
    answer = await client.post("/api/orders", order(), **{"content-type": content_type})

    assert (answer.status, answer.code) == (415, "request.not_json")


async def test_takes_json_in_any_charset_spelling(client: Client) -> None:
    answer = await client.order(order(), **{"content-type": "Application/JSON; charset=utf-8"})

    assert answer.status == 201


@pytest.mark.parametrize("path", ["/api/orders", "/api/orders/preview", "/api/trading/order"])
async def test_bounds_a_body(client: Client, path: str) -> None:
    padding = b" " * (64 * 1024 - len(order()))

    fits = await client.post(path, order() + padding)
    exceeds = await client.post(path, order() + padding + b" ")

    assert fits.status in {200, 201}
    assert (exceeds.status, exceeds.code) == (413, "request.too_large")


async def test_bounds_a_body_of_unsaid_length(running: Process, client: Client) -> None:
    where = urlsplit(running.url)

    def send() -> tuple[int, dict[str, object]]:
        connection = HTTPConnection(where.hostname or "", where.port, timeout=60)
        try:
            headers = {**client.headers, "content-type": "application/json"}
            chunks = (b" " * 16_384 for _ in range(5))
            connection.request("POST", "/api/orders", chunks, headers, encode_chunked=True)
            answer = connection.getresponse()
            return answer.status, json.load(answer)
        finally:
            connection.close()

    status, problem = await asyncio.to_thread(send)

    assert (status, problem["code"]) == (413, "request.too_large")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/api/orders", "GET, POST"),
        ("GET", "/api/trading/order", "POST"),
        ("PATCH", "/api/orders/x", "DELETE, GET"),
        ("POST", "/healthz", "GET"),
        ("OPTIONS", "/api/orders", "GET, POST"),
    ],
)
async def test_says_which_methods_a_path_takes(
    client: Client, method: str, path: str, allowed: str
) -> None:
    answer = await client.ask(method, path)

    assert (answer.status, answer.code) == (405, "request.method")
    assert answer.headers["allow"] == allowed


@pytest.mark.parametrize(
    "path", ["/api", "/api/nothing", "/api/orders/x/y", "/ws/nothing", "/healthz/x"]
)
async def test_says_that_nothing_is_there(client: Client, path: str) -> None:
    answer = await client.get(path)

    assert (answer.status, answer.code) == (404, "request.not_found")


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=501",
        "limit=-1",
        "limit=x",
        "limit=",
        "limit=1e2",
        "cursor=x",
        "cursor=",
        "status=OPEN",
        "status=",
        "status=pending",
        "mode=%00",
        "mode=live",
        "stauts=PENDING",
        "page=2&limit=1",
    ],
)
async def test_refuses_a_query_it_does_not_understand(client: Client, query: str) -> None:
    answer = await client.get(f"/api/orders?{query}")

    assert (answer.status, answer.code) == (400, "request.malformed")
    assert query.partition("=")[0] in answer.body["detail"]


@pytest.mark.parametrize("pair", ["%00", "SOL", "sol-usdc", "A" * 5000, ""])
async def test_refuses_to_list_a_pair_it_does_not_know(client: Client, pair: str) -> None:
    answer = await client.get(f"/api/orders?pair={pair}")

    assert (answer.status, answer.code) == (422, "pair.unknown")


@pytest.mark.parametrize("key", ["", "k" * 129, "schlüssel"])
async def test_refuses_a_key_in_the_header_as_in_the_body(client: Client, key: str) -> None:
    answer = await client.order(SELL, **{"Idempotency-Key": key})

    assert (answer.status, answer.code) == (400, "request.malformed")
    assert "idempotencyKey" in answer.body["detail"]


async def test_refuses_two_keys_that_differ(client: Client) -> None:
    answer = await client.order({**SELL, "idempotencyKey": "a"}, **{"Idempotency-Key": "b"})

    assert (answer.status, answer.code) == (400, "request.malformed")


async def test_stores_nothing_of_what_it_refuses(client: Client) -> None:
    before = await client.count()

    bodies = [*BODIES.values(), *(body for body, _ in RULES.values())]
    answers = await asyncio.gather(*(client.order(body) for body in bodies))

    assert {answer.status for answer in answers} == {400, 422}
    assert await client.count() == before


async def test_fails_nobody_elses_order_with_a_bad_one(client: Client) -> None:
    bad = [*BODIES.values(), *(body for body, _ in RULES.values())]
    good = [order() for _ in bad]

    answers = await asyncio.gather(
        *(client.order(body) for pair in zip(bad, good, strict=True) for body in pair)
    )

    assert {answer.status for answer in answers[1::2]} == {201}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=8,
)
NUMBERS = st.integers() | st.floats() | st.decimals(allow_nan=False).map(float)
NEARLY = st.fixed_dictionaries(
    {
        "pair": st.sampled_from(["SOL-USDC", "BTC-USDC"]) | JSON,
        "amount": st.floats(1e-9, 1e3) | NUMBERS | JSON,
        "direction": st.sampled_from(["BUY", "SELL"]) | JSON,
    },
    optional={
        "limitPrice": NUMBERS | JSON,
        "slippageBps": st.integers(-5, 10_005) | JSON,
        "idempotencyKey": st.text(max_size=140) | JSON,
        "expiresAt": st.datetimes().map(lambda at: f"{at.isoformat()}Z") | JSON,
        "quoteId": st.uuids().map(str) | JSON,
        "foo": JSON,
    },
)


@settings(max_examples=200, deadline=None, derandomize=True, database=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(body=NEARLY.map(json.dumps).map(str.encode) | st.binary(max_size=200))
def test_never_fails_whatever_the_body(running: Process, body: bytes) -> None:
    where = urlsplit(running.url)
    connection = HTTPConnection(where.hostname or "", where.port, timeout=60)
    headers = {"authorization": f"Bearer {running.key}", "content-type": "application/json"}
    try:
        connection.request("POST", "/api/orders", body, headers)
        answer = connection.getresponse()
        told = json.load(answer)
    finally:
        connection.close()

    assert answer.status in {200, 201, 400, 409, 422}, told
    if answer.status >= 400:
        assert set(PROBLEM) <= set(told)
        assert told["status"] == answer.status
        assert not any(word in told["detail"] for word in DECODER_WORDS), told["detail"]
