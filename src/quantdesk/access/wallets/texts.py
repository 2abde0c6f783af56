"""The texts that wallets sign, written exactly as their standards say. Pure.

EIP-4361: https://eips.ethereum.org/EIPS/eip-4361#abnf-message-format
Sign In With Solana: https://github.com/phantom/sign-in-with-solana#abnf-message-format

Wallets take these texts apart to warn of a site that is not the one that asks; one character off
and they show a page of text instead.
"""

from typing import Final

import msgspec

from quantdesk.access.wallets.model import ChainName, Challenge, Purpose
from quantdesk.core.clock import iso

_STATEMENTS: Final = {
    Purpose.SIGN_IN: "Sign in to this QuantDesk. Nothing is sent to a chain and nothing is paid.",
    Purpose.LINK: (
        "Let this wallet sign in to your QuantDesk account. Nothing is sent to a chain and"
        " nothing is paid."
    ),
    Purpose.PROVE: (
        "Prove that it is you who asks this QuantDesk. Nothing is sent to a chain and nothing is"
        " paid."
    ),
}
_ACCOUNTS: Final = {ChainName.SOLANA: "Solana", ChainName.EVM: "Ethereum"}


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a text, named as both standards name them; empty ones are left out."""

    domain: str
    address: str
    statement: str = ""
    uri: str = ""
    version: str = ""
    chain_id: str = ""
    nonce: str = ""
    issued_at: str = ""
    expiration_time: str = ""
    not_before: str = ""
    request_id: str = ""
    resources: tuple[str, ...] | None = None


def siws(text: Text) -> str:
    """Return the text of Sign In With Solana; every field but domain and address may be empty."""
    parts = [_head(text, ChainName.SOLANA), text.statement, "\n".join(_fields(text))]
    return "\n\n".join(part for part in parts if part)


def eip4361(text: Text) -> str:
    """Return the text of Sign-In with Ethereum.

    Without a statement its line stays empty: three line feeds in a row.
    """
    assert all((text.uri, text.version, text.chain_id, text.nonce, text.issued_at)), "they must be"
    statement = f"\n{text.statement}\n" if text.statement else "\n"
    return "\n".join((_head(text, ChainName.EVM), statement, *_fields(text)))


def written(challenge: Challenge, nonce: str) -> str:
    """Return the text of a challenge."""
    write = siws if challenge.chain is ChainName.SOLANA else eip4361
    return write(
        Text(
            domain=challenge.site.domain,
            address=challenge.address,
            statement=_STATEMENTS[challenge.purpose],
            uri=challenge.site.uri,
            version="1",
            chain_id=challenge.chain_id,
            nonce=nonce,
            issued_at=iso(challenge.issued_ms),
            expiration_time=iso(challenge.expires_ms),
        )
    )


def _head(text: Text, chain: ChainName) -> str:
    kind = _ACCOUNTS[chain]
    return f"{text.domain} wants you to sign in with your {kind} account:\n{text.address}"


def _fields(text: Text) -> list[str]:
    named = (
        ("URI", text.uri),
        ("Version", text.version),
        ("Chain ID", text.chain_id),
        ("Nonce", text.nonce),
        ("Issued At", text.issued_at),
        ("Expiration Time", text.expiration_time),
        ("Not Before", text.not_before),
        ("Request ID", text.request_id),
    )
    lines = [f"{name}: {value}" for name, value in named if value]
    if text.resources is not None:
        lines += ["Resources:", *(f"- {resource}" for resource in text.resources)]
    return lines
