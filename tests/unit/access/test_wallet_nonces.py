"""A signed text is good for one wallet, site, browser and purpose, and to the byte."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.access.wallets import nonces, texts
from quantdesk.access.wallets.model import ChainName, Challenge, Proof, Purpose, Site
from quantdesk.testing.wallets import EvmWallet, SolanaWallet

NONCE = "0123456789abcdef" * 4
SITE = Site("desk.example.com", "https://desk.example.com")
WALLET, EVM = SolanaWallet(), EvmWallet()
CHALLENGE = Challenge(
    chain=ChainName.SOLANA,
    address=WALLET.address,
    chain_id="solana:mainnet",
    purpose=Purpose.SIGN_IN,
    site=SITE,
    issued_ms=1_700_000_000_000,
    expires_ms=1_700_000_300_000,
)
MESSAGE = texts.written(CHALLENGE, NONCE)
PROOF = Proof(address=WALLET.address, signature="", message=MESSAGE, site=SITE)
BOUND = msgspec.structs.replace(CHALLENGE, browser=nonces.digest("cookie"))


def code(
    challenge: Challenge = CHALLENGE,
    *,
    now_ms: int = CHALLENGE.issued_ms,
    **shown: Any,  # noqa: ANN401
) -> str | None:
    purpose = shown.pop("purpose", Purpose.SIGN_IN)
    proof = msgspec.structs.replace(PROOF, **shown)
    fault = nonces.fault(challenge, proof, nonce=NONCE, purpose=purpose, now_ms=now_ms)
    return fault and fault[0]


def test_the_text_as_it_was_written_is_good() -> None:
    assert code() is None
    assert code(now_ms=CHALLENGE.expires_ms - 1) is None
    assert code(BOUND, browser="cookie") is None
    assert nonces.found_in(MESSAGE) == NONCE


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ({"now_ms": CHALLENGE.expires_ms}, "nonce.expired"),
        ({"purpose": Purpose.LINK}, "nonce.purpose"),
        ({"site": Site("evil.example", "https://evil.example")}, "nonce.site"),
        ({"site": Site("desk.example.com", "http://desk.example.com")}, "nonce.site"),
        ({"address": SolanaWallet(2).address}, "nonce.wallet"),
        ({"address": EVM.address}, "nonce.wallet"),
        ({"address": ""}, "nonce.wallet"),
        ({"message": MESSAGE + "\n"}, "message.changed"),
        ({"message": MESSAGE.replace("\n", "\r\n")}, "message.changed"),
        ({"message": " " + MESSAGE}, "message.changed"),
        ({"message": ""}, "message.changed"),
    ],
)
def test_a_text_is_good_for_nothing_else(shown: dict[str, Any], expected: str) -> None:
    assert code(**shown) == expected


@pytest.mark.parametrize("browser", [None, "", "cookies", "Cookie", "é"])
def test_a_text_of_one_browser_is_no_good_in_another(browser: str | None) -> None:
    assert code(BOUND, browser=browser) == "nonce.browser"


def test_a_text_without_a_browser_asks_for_no_cookie() -> None:
    assert code(browser="left over from another text") is None


@given(st.integers(min_value=0, max_value=len(MESSAGE) - 1), st.characters(codec="utf-8"))
def test_no_character_can_be_another(at: int, other: str) -> None:
    changed = MESSAGE[:at] + other + MESSAGE[at + 1 :]

    assert code(message=changed) == (None if changed == MESSAGE else "message.changed")


@pytest.mark.parametrize("at", range(len(MESSAGE)))
def test_no_character_can_be_missing_or_doubled(at: int) -> None:
    for changed in (MESSAGE[:at] + MESSAGE[at + 1 :], MESSAGE[:at] + MESSAGE[at] + MESSAGE[at:]):
        assert code(message=changed) == "message.changed"


@pytest.mark.parametrize(
    "line",
    ["Nonce: ", f"Nonce: {NONCE[:-1]}", f"Nonce: {NONCE}0", f"nonce: {NONCE}",
     f"Nonce: {NONCE.upper()}", f" Nonce: {NONCE}", f"Nonce:  {NONCE}", ""],
)  # fmt: skip
def test_only_a_nonce_of_the_desks_kind_is_looked_for(line: str) -> None:
    assert nonces.found_in(MESSAGE.replace(f"Nonce: {NONCE}", line)) is None


@pytest.mark.parametrize(
    ("ip", "expected"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", "unknown"),
        ("no address", "unknown"),
    ],
)
def test_a_network_is_what_one_customer_has(ip: str, expected: str) -> None:
    assert nonces.network(ip) == expected
