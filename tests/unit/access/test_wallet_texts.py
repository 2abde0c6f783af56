"""The texts that wallets sign are those of the standards, to the byte.

Expected texts are examples of the official libraries' own tests, https://github.com/spruceid/siwe
(test/parsing_positive.json) and https://github.com/anza-xyz/wallet-standard
(packages/core/util/src/__tests__/signIn.ts).
"""

import re

import pytest

from quantdesk.access.wallets.model import ChainName, Challenge, Purpose, Site
from quantdesk.access.wallets.texts import Text, eip4361, siws, written

_WETH = "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2"
_SERVICE = Text(
    domain="service.org",
    address=_WETH,
    statement="I accept the ServiceOrg Terms of Service: https://service.org/tos",
    uri="https://service.org/login",
    version="1",
    chain_id="1",
    nonce="32891757",
    issued_at="2021-09-30T16:25:24.000Z",
)
_SERVICE_TEXT = (
    "service.org wants you to sign in with your Ethereum account:\n"
    "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2\n\n"
    "I accept the ServiceOrg Terms of Service: https://service.org/tos\n\n"
    "URI: https://service.org/login\nVersion: 1\nChain ID: 1\nNonce: 32891757\n"
    "Issued At: 2021-09-30T16:25:24.000Z"
)


def _with(text: Text, **changed: object) -> Text:
    return Text(**{name: getattr(text, name) for name in text.__struct_fields__} | changed)


def test_an_ethereum_text_without_optional_fields() -> None:
    assert eip4361(_SERVICE) == _SERVICE_TEXT


def test_an_ethereum_text_with_resources() -> None:
    resources = (
        "ipfs://Qme7ss3ARVgxv6rXqVPiikMJ8u2NLgmgszg13pYrDKEoiu",
        "https://example.com/my-web2-claim.json",
    )

    assert eip4361(_with(_SERVICE, resources=resources)) == _SERVICE_TEXT + (
        "\nResources:\n- ipfs://Qme7ss3ARVgxv6rXqVPiikMJ8u2NLgmgszg13pYrDKEoiu\n"
        "- https://example.com/my-web2-claim.json"
    )


def test_an_ethereum_text_without_statement_keeps_its_empty_line() -> None:
    text = _with(_SERVICE, domain="[::cafe]", statement="")

    assert eip4361(text) == (
        "[::cafe] wants you to sign in with your Ethereum account:\n"
        f"{_WETH}\n\n\nURI: https://service.org/login\nVersion: 1\nChain ID: 1\n"
        "Nonce: 32891757\nIssued At: 2021-09-30T16:25:24.000Z"
    )


def test_an_ethereum_text_with_all_optional_fields_has_them_in_the_grammars_order() -> None:
    text = _with(
        _SERVICE,
        expiration_time="2022-09-30T16:25:24Z",
        not_before="2021-09-30T16:25:25Z",
        request_id="some_id",
        resources=(),
    )

    assert eip4361(text) == _SERVICE_TEXT + (
        "\nExpiration Time: 2022-09-30T16:25:24Z\nNot Before: 2021-09-30T16:25:25Z"
        "\nRequest ID: some_id\nResources:"
    )


_SOLANA = "solana.com wants you to sign in with your Solana account:\nA"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, _SOLANA),
        ({"statement": "S"}, f"{_SOLANA}\n\nS"),
        ({"statement": "S\n\nS"}, f"{_SOLANA}\n\nS\n\nS"),
        ({"uri": "https://solana.com"}, f"{_SOLANA}\n\nURI: https://solana.com"),
        (
            {"statement": "S", "uri": "https://solana.com"},
            f"{_SOLANA}\n\nS\n\nURI: https://solana.com",
        ),
        (
            {"statement": "S\n\nS", "uri": "https://solana.com"},
            f"{_SOLANA}\n\nS\n\nS\n\nURI: https://solana.com",
        ),
    ],
)
def test_a_solana_text(fields: dict[str, str], expected: str) -> None:
    assert siws(Text(domain="solana.com", address="A", **fields)) == expected  # type: ignore[arg-type]


def test_a_solana_text_with_everything_is_the_maximal_template() -> None:
    text = Text(
        domain="d",
        address="a",
        statement="s",
        uri="u",
        version="1",
        chain_id="c",
        nonce="n",
        issued_at="i",
        expiration_time="e",
        not_before="b",
        request_id="r",
        resources=("x", "y"),
    )

    assert siws(text) == (
        "d wants you to sign in with your Solana account:\na\n\ns\n\nURI: u\nVersion: 1\n"
        "Chain ID: c\nNonce: n\nIssued At: i\nExpiration Time: e\nNot Before: b\n"
        "Request ID: r\nResources:\n- x\n- y"
    )


_DATE = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
_STATEMENT = r"[:/?#\[\]@!$&'()*+,;=A-Za-z0-9\-._~ ]+"  # reserved / unreserved / " "


@pytest.mark.parametrize("purpose", list(Purpose))
@pytest.mark.parametrize(
    ("chain", "kind", "address", "chain_id"),
    [
        (ChainName.EVM, "Ethereum", _WETH, "137"),
        (
            ChainName.SOLANA,
            "Solana",
            "6ASf5EcmmEHTgDJ4X4ZT5vT6iHVJBXPg5AN5YoTCpGWt",
            "solana:mainnet",
        ),
    ],
)
def test_the_desks_own_text_is_of_the_grammar(
    chain: ChainName, kind: str, address: str, chain_id: str, purpose: Purpose
) -> None:
    challenge = Challenge(
        chain=chain,
        address=address,
        chain_id=chain_id,
        purpose=purpose,
        site=Site("desk.example.com:8443", "https://desk.example.com:8443"),
        issued_ms=1_700_000_000_123,
        expires_ms=1_700_000_300_123,
    )
    nonce = "0123456789abcdef" * 4

    text = written(challenge, nonce)

    assert re.fullmatch(
        rf"desk\.example\.com:8443 wants you to sign in with your {kind} account:\n{address}\n\n"
        rf"{_STATEMENT}\n\nURI: https://desk\.example\.com:8443\nVersion: 1\nChain ID: {chain_id}\n"
        rf"Nonce: {nonce}\nIssued At: {_DATE}\nExpiration Time: {_DATE}",
        text,
    )
    assert "Issued At: 2023-11-14T22:13:20.123Z" in text
    assert "Expiration Time: 2023-11-14T22:18:20.123Z" in text


def test_texts_of_different_purposes_differ_in_words_people_read() -> None:
    def statement(purpose: Purpose) -> str:
        challenge = Challenge(
            chain=ChainName.EVM,
            address=_WETH,
            chain_id="1",
            purpose=purpose,
            site=Site("a", "https://a"),
            issued_ms=0,
            expires_ms=1,
        )
        return written(challenge, "0" * 64).split("\n")[3]

    assert statement(Purpose.SIGN_IN) != statement(Purpose.LINK)
