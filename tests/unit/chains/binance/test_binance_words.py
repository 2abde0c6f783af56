"""Signatures as the exchange documents them, bytes there and back, budgets, errors, fates."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.chains.binance.world import ORDER, order, trade

from quantdesk.chains.binance import fate, requests
from quantdesk.chains.binance.answers import OrderState
from quantdesk.chains.binance.budget import Budget
from quantdesk.chains.binance.failures import Executed, failure
from quantdesk.chains.binance.signing import Ed25519Key, HmacKey, seed, signed
from quantdesk.chains.port import Fate
from quantdesk.core.errors import Corrupt, Refused, Unavailable
from quantdesk.testing.binance import API_KEY, SECRET

KEY = HmacKey(api_key=API_KEY, secret=SECRET)
# RFC 8410 §10.3, its first example, and RFC 8032 §7.1, test 2.
# pragma: allowlist nextline secret
PEM = b"""-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
-----END PRIVATE KEY-----
"""
RFC_SEED = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
RFC_SIGNATURE = (
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)


def test_that_a_signature_is_that_of_the_documentation() -> None:
    payload = (
        "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1"
        "&recvWindow=5000&timestamp=1499827319559"
    )
    expected = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"

    assert signed(payload, KEY) == f"{payload}&signature={expected}"


def test_that_ed25519_signs_as_the_standard_says() -> None:
    key = Ed25519Key(api_key="a1", seed=RFC_SEED)

    assert base64.b64decode(key.sign(b"\x72")).hex() == RFC_SIGNATURE
    assert seed(PEM).hex() == "d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842"
    assert "%2B" in signed("a=1", Ed25519Key(api_key="a1", seed=seed(PEM))) or "%3D" in signed(
        "a=1", Ed25519Key(api_key="a1", seed=seed(PEM))
    )


@pytest.mark.parametrize(
    "pem",
    [b"", b"secret", PEM.replace(b"PRIVATE", b"PUBLIC"), PEM.replace(b"MC4C", b"MC5C"), PEM[:60]],
)
def test_that_what_is_no_key_is_refused(pem: bytes) -> None:
    with pytest.raises(Refused) as refused:
        seed(pem)
    assert refused.value.code == "key.unreadable"


def test_that_a_key_is_never_shown() -> None:
    shown = f"{KEY!r} {KEY!s} {Ed25519Key(api_key='a1', seed=RFC_SEED)!r}"

    assert SECRET not in shown
    assert API_KEY not in shown
    assert not hasattr(KEY, "__dict__")


@pytest.mark.parametrize("named", ["", "a\r\nX: y", "kéy", "a b"])
def test_that_an_api_key_is_a_plain_word(named: str) -> None:
    with pytest.raises(Refused):
        HmacKey(api_key=named, secret="s")


def test_that_an_orders_id_is_the_orders_and_its_attempt() -> None:
    made = requests.client_order_id(f"qd:{ORDER}:3")

    assert made == "01890a5dac96774bbcceb302099a8057-3"
    assert len(requests.client_order_id(f"qd:{ORDER}:999")) == 36


@given(st.text(), st.text())
def test_that_ids_of_any_memo_are_what_the_exchange_takes(one: str, other: str) -> None:
    ids = [requests.client_order_id(memo) for memo in (one, other)]

    assert all(len(each) <= 36 and each.replace("-", "").isalnum() for each in ids)
    assert (ids[0] == ids[1]) == (one == other)


def test_that_bytes_say_what_they_were_made_of() -> None:
    asked = requests.asked(trade(), order())
    form = requests.form(asked, force=requests.Force.FOK, client_id="x-1")
    body = requests.dated(form, at_ms=1_700_000_000_000, window_ms=3_000, key=KEY)
    sent = requests.unpack(requests.pack(7, body))

    assert (sent.uid, sent.symbol, sent.client_order_id) == (7, "SOLUSDC", "x-1")
    assert (sent.until_ms, sent.window_ms) == (1_700_000_003_000, 3_000)
    assert sent.form == body.encode()
    assert "timeInForce=FOK" in body
    assert API_KEY not in body


@given(st.binary(max_size=200))
def test_that_any_other_bytes_are_refused(raw: bytes) -> None:
    with pytest.raises(Corrupt):
        requests.unpack(raw)


@pytest.mark.parametrize(
    ("status", "body", "executed", "code"),
    [
        (500, b"", Executed.UNKNOWN, "exchange.unavailable"),
        (503, b'{"code":-1008,"msg":"busy"}', Executed.UNKNOWN, "exchange.unavailable"),
        (400, b'{"code":-1007,"msg":"Timeout"}', Executed.UNKNOWN, "exchange.unavailable"),
        (400, b'{"code":-1006,"msg":"?"}', Executed.UNKNOWN, "exchange.unavailable"),
        (400, b"<html>", Executed.UNKNOWN, "exchange.unavailable"),
        (302, b"", Executed.UNKNOWN, "exchange.unavailable"),
        (400, b'{"code":-2010,"msg":"Duplicate order sent."}', Executed.EARLIER,
         "exchange.refused"),
        (429, b"", Executed.NO, "exchange.busy"),
        (418, b'{"code":-1003,"msg":"banned"}', Executed.NO, "exchange.busy"),
        (403, b"<html>", Executed.UNKNOWN, "exchange.busy"),
        (401, b'{"code":-2015,"msg":"Invalid API-key"}', Executed.NO, "exchange.unauthorized"),
        (400, b'{"code":-1021,"msg":"Timestamp"}', Executed.NO, "exchange.clock"),
        (400, b'{"code":-1013,"msg":"Filter failure: LOT_SIZE"}', Executed.NO, "amount.precision"),
        (400, b'{"code":-1013,"msg":"Filter failure: NOTIONAL"}', Executed.NO, "amount.too_small"),
        (400, b'{"code":-1121,"msg":"Invalid symbol."}', Executed.NO, "pool.gone"),
        (400, b'{"code":-9999,"msg":"new"}', Executed.NO, "exchange.refused"),
    ],
)  # fmt: skip
def test_that_an_error_says_whether_anything_was_executed(
    status: int, body: bytes, executed: Executed, code: str
) -> None:
    said = failure(status, body)

    assert (said.executed, said.code) == (executed, code)


def _state(status: str, executed: str, reason: str = "") -> OrderState:
    return OrderState("SOLUSDC", 1, "x-1", status, "BUY", "10", executed, reason)


@pytest.mark.parametrize(
    ("status", "executed", "expected"),
    [
        ("NEW", "0", Fate.UNSEEN),
        ("NEW", "1", Fate.UNSEEN),
        ("PENDING_NEW", "0", Fate.UNSEEN),
        ("PARTIALLY_FILLED", "5", Fate.UNSEEN),
        ("FILLED", "10", Fate.LANDED),
        ("FILLED", "0", Fate.UNSEEN),
        ("EXPIRED", "0.00000001", Fate.LANDED),
        ("EXPIRED", "0.00000000", Fate.REVERTED),
        ("EXPIRED_IN_MATCH", "3", Fate.LANDED),
        ("CANCELED", "3", Fate.LANDED),
        ("CANCELED", "0", Fate.REVERTED),
        ("REJECTED", "0", Fate.REVERTED),
        ("EXPIRED", "-1", Fate.UNSEEN),
        ("EXPIRED", "NaN", Fate.UNSEEN),
        ("EXPIRED", "x", Fate.UNSEEN),
        ("SOMETHING_NEW", "0", Fate.UNSEEN),
    ],
)
def test_that_a_fill_however_small_has_landed_and_doubt_is_unseen(
    status: str, executed: str, expected: Fate
) -> None:
    assert fate.sighting(_state(status, executed)).fate is expected


def test_that_an_unfilled_end_says_why() -> None:
    ended = fate.sighting(_state("EXPIRED", "0", "EXCHANGE_CANCELED"))
    unfilled = fate.sighting(_state("EXPIRED", "0", "UNFILLED_FOK_ORDER_EXPIRED"))

    assert (ended.code, unfilled.code) == ("pool.gone", "slippage.exceeded")


@given(late_ms=st.integers(0, 10**6), unposted=st.booleans())
def test_that_absence_proves_nothing_before_its_time(late_ms: int, *, unposted: bool) -> None:
    least = fate.UNPOSTED_MS if unposted else fate.SETTLE_MS

    assert fate.may_be_dead(0, server_ms=late_ms, unposted=unposted) == (late_ms > least)


def test_that_a_budget_keeps_something_for_orders() -> None:
    budget = Budget(weight_max=100)
    for _ in range(7):
        budget.spent(10, server_ms=60_000)

    assert budget.wait_s(10, urgent=False, server_ms=61_000) == 59
    assert budget.wait_s(10, urgent=True, server_ms=61_000) == 0
    assert budget.wait_s(10, urgent=False, server_ms=120_000) == 0
    budget.told("100", server_ms=61_000)
    assert budget.wait_s(1, urgent=True, server_ms=61_000) == 59


@pytest.mark.parametrize(
    ("status", "said", "wait_s"),
    [
        (429, "7", 7), (429, None, 60), (429, "soon", 60), (429, "", 60), (429, "0", 1),
        (418, "7", 7), (418, None, 120), (403, None, 300), (403, "700", 700),
        (418, "9" * 400, 3 * 24 * 3600),
    ],
)  # fmt: skip
def test_that_a_ban_is_waited_out(status: int, said: str | None, wait_s: float) -> None:
    budget = Budget()
    budget.barred(status, said, now_s=10)

    assert budget.barred_s(now_s=10) == wait_s
    assert budget.barred_s(now_s=10 + wait_s) == 0


def test_that_a_longer_ban_is_not_shortened() -> None:
    budget = Budget()
    budget.barred(418, "120", now_s=0)
    budget.barred(429, "1", now_s=5)

    assert budget.barred_s(now_s=5) == 115


def test_that_too_many_orders_bar_no_questions() -> None:
    budget = Budget()
    budget.orders_barred("too many", "90", now_s=0)
    budget.orders_barred("too many", None, now_s=0)

    assert (budget.barred_s(now_s=5), budget.barred_s(now_s=5, orders=True)) == (0, 85)


def test_that_a_quote_past_the_bounds_price_is_told_before_anything_is_asked() -> None:
    with pytest.raises(Unavailable) as steep:
        requests.asked(trade(), order(worst="151"))

    assert steep.value.code == "slippage.exceeded"
