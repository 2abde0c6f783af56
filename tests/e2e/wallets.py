"""Wallets for the browser flows: they come forward in the page, their keys stay in this process.

    page ── __testWallet(JSON) ──▶ TestWallets.answer ──▶ eth-account / solders sign, or decline

`testwallet.js` is the page's half. A text that is to be signed is kept in `shown`, so that a test
can hold it against what the page showed before.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec
from eth_account.messages import encode_defunct

from quantdesk.testing.wallets import EvmWallet, SolanaWallet

SCRIPT: Final = Path(__file__).with_name("testwallet.js")
_SEED_BYTES: Final = 32
_REJECTED: Final = 4001  # EIP-1193: the user rejected the request
_UNKNOWN_METHOD: Final = 4200
_SIGNING: Final = frozenset({"personal_sign", "signMessage"})


class Context(Protocol):
    """As much of a browser context of `playwright.sync_api` as is used here."""

    def expose_function(self, name: str, callback: Callable[..., Any]) -> object:
        """Let pages call a function of this process."""

    def add_init_script(
        self, script: str | None = None, *, path: str | Path | None = None
    ) -> object:
        """Run a script before those of each page."""


class _Asked(msgspec.Struct):
    chain: str
    method: str
    params: list[Any]


class TestWallets:
    """A Solana and an EVM wallet of one person; with `decline` both refuse to sign."""

    __test__ = False  # it is no test, whatever its name begins with

    def __init__(self, seed: bytes, *, chain_id: int = 1) -> None:
        """Take 32 bytes that both keys are made of, and the EIP-155 chain the EVM one is on."""
        assert len(seed) == _SEED_BYTES, "a seed has 32 bytes"
        number = int.from_bytes(seed, "big")
        self.solana = SolanaWallet(number)
        self.evm = EvmWallet(number)
        self.chain_id = chain_id
        self.decline = False
        self.shown: list[str] = []
        self._methods: dict[tuple[str, str], Callable[..., object]] = {
            ("evm", "eth_requestAccounts"): lambda: [self.evm.address],
            ("evm", "eth_accounts"): lambda: [self.evm.address],
            ("evm", "eth_chainId"): lambda: hex(self.chain_id),
            ("evm", "personal_sign"): self._personal_sign,
            ("solana", "connect"): self._account,
            ("solana", "signMessage"): self._sign_message,
        }

    def install(self, context: Context) -> None:
        """Bring both wallets into every page that a context opens from now on."""
        context.expose_function("__testWallet", self.answer)
        context.add_init_script(path=SCRIPT)

    def answer(self, told: str) -> dict[str, Any]:
        """Return the answer to a page's JSON: `result`, or the `error` of EIP-1193."""
        asked = msgspec.json.decode(told, type=_Asked)
        method = self._methods.get((asked.chain, asked.method))
        if method is None:
            return _error(_UNKNOWN_METHOD, f"this wallet cannot {asked.method}")
        if self.decline and asked.method in _SIGNING:
            return _error(_REJECTED, "User rejected the request.")
        return {"result": method(*asked.params)}

    def _account(self) -> list[str]:
        key = self.solana.keypair.pubkey()
        return [str(key), bytes(key).hex()]

    def _sign_message(self, address: str, message: str) -> str:
        assert address == self.solana.address, "it has one account"
        self.shown.append(bytes.fromhex(message).decode())
        return bytes(self.solana.keypair.sign_message(bytes.fromhex(message))).hex()

    def _personal_sign(self, message: str, address: str) -> str:
        assert address.lower() == self.evm.address.lower(), "it has one account"
        text = bytes.fromhex(message.removeprefix("0x"))
        self.shown.append(text.decode())
        signed = self.evm.account.sign_message(encode_defunct(primitive=text))
        return f"0x{bytes(signed.signature).hex()}"


def _error(code: int, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}
