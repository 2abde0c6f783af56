"""Redaction: what a person may read of a text or of an event that might hold a secret. Pure.

By name (`password=…`, `Cookie: …`), by form (our API keys and tokens, JWTs, PEM keys, wallet keys,
credentials in URLs), and by value: what the desk was told to hide. A transaction's signature has
the form of a wallet's key and stays: the two are told apart by what they are, not by their looks.

Forms: JWT RFC 7519, PEM RFC 7468, URLs RFC 3986, header fields RFC 9110; a Solana key file is
64 bytes, the seed and the public key that belongs to it.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

HIDDEN: Final = "[redacted]"
_DEPTH_MAX: Final = 6
_ITEMS_MAX: Final = 200
_HIDE_LEAST: Final = 6
"""Shorter ones are words that would tear holes into everything."""

_WORDS: Final = (
    r"pass(?:word|phrase|wd)|secret|mnemonic|private[-_]?key|api[-_]?key|authorization|cookie"
    r"|csrf|jwt|bearer|credentials?|session[-_]?token|access[-_]?token|refresh[-_]?token|id[-_]?token"
    r"|auth[-_]?token|bot[-_]?token|x[-_]token|recovery[-_]?codes?|otp|totp|seed[-_]?phrase"
    r"|client[-_]?secret|master[-_]?key|owner[-_]?key|signing[-_]?key|refresh"
)
_NAME: Final = re.compile(
    rf"(?:^|[-_.])(?:{_WORDS}|token|ticket|seed|pin)(?:[-_](?:hash|value|text|hex|b64))?$",
    re.IGNORECASE,
)
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_DIGITS: Final = {letter: value for value, letter in enumerate(_BASE58)}
_LONG_BASE58: Final = re.compile(rf"(?<![0-9A-Za-z])[{_BASE58}]{{86,88}}(?![0-9A-Za-z])")
_KEY_BYTES: Final = 64
_BYTE_BITS: Final = 8
_UUID: Final = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"

_PATH_KEY: Final = re.compile(
    rf"/(?!{_UUID}(?![\w-]))(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{{20,}}", re.IGNORECASE
)
"""A key as a part of an address: no word, and no UUID."""


def _without_key(found: re.Match[str]) -> str:
    return found[1] + _PATH_KEY.sub(f"/{HIDDEN}", found[2])


# None may look at a text again from each of its places: texts are as long as strangers like.
_FORMS: Final[tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...]] = (
    (re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [^-]*-----|\Z)", re.DOTALL),
     HIDDEN),
    (re.compile(r"\beyJ[\w-]{4,}\.[\w-]{2,}\.[\w-]*"), HIDDEN),
    (re.compile(r"\bqd[a-z]{0,8}_[\w-]{16,}"), HIDDEN),
    (re.compile(r"\[\s*(?:\d{1,3}\s*,\s*){63}\d{1,3}\s*\]"), HIDDEN),
    # credentials in an address, before its host
    (re.compile(r"((?<=[a-z0-9+.-])://)[^\s/?#@\"'<>]+@", re.IGNORECASE), rf"\1{HIDDEN}@"),
    (re.compile(r"(\b(?:http|ws)s?://)([^\s?#\"'<>]+)", re.IGNORECASE), _without_key),
    (re.compile(
        r"([?&;](?:[\w.-]*[-_.])?(?:key|api-?key|token|secret|sig|signature|password|passphrase|auth"
        r"|ticket|code|state|otp|jwt|access_?token|client_?secret)=)[^\s&;#\"'<>\\]+",
        re.IGNORECASE), rf"\1{HIDDEN}"),
    # Fields as they are sent, and as Python and JSON write pairs of them.
    (re.compile(
        r"(\b(?:set-)?cookie2?[\"']?\s*[:,=]\s*(?:b?[\"'])?)(?!\[redacted\])[^\s\"'<>][^\r\n\"']*",
        re.IGNORECASE), rf"\1{HIDDEN}"),
    (re.compile(
        r"(\b(?:proxy-)?authorization[\"']?\s*[:,=]\s*(?:b?[\"'])?)(?!\[redacted\])"
        r"(?:(?:bearer|basic|digest|negotiate|token)\s+)?"
        r"(?!(?:bearer|basic|digest|negotiate|token)\b)[\w.~+/=:-]{6,}",
        re.IGNORECASE), rf"\1{HIDDEN}"),
    (re.compile(r"\b(bearer|basic)\s+(?=[\w.~+/=-]*[\d_.=])[\w.~+/=-]{12,}", re.IGNORECASE),
     rf"\1 {HIDDEN}"),
    # name=value, "name": "value", name='value'
    (re.compile(
        rf"((?<![A-Za-z])(?!(?<!_)(?:authorization|cookie))"
        rf"(?:{_WORDS}|token|x-csrf-token|x-mbx-apikey)"
        r"[\"']?\s*[=:]\s*(?:b(?=[\"']))?)"
        r"(\"(?:[^\"\\\n]|\\++[^\\\n])++\"|'(?:[^'\\\n]|\\++[^\\\n])++'|(?![\"'\[<{(])[^\s,;&}\])\"'<>]+)",
        re.IGNORECASE), rf"\1{HIDDEN}"),
)  # fmt: skip
_HINTS: Final = (
    *("eyj", "qd", "private key", "://", "=", "[", "bearer", "basic", "cookie", "token", "pass"),
    *("secret", "key", "auth", "jwt", "csrf", "otp", "refresh", "mnemonic", "credential"),
    *("recovery", "phrase"),
)
"""Nothing is redacted by form without one of these: most texts are done after one look."""
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Redaction:
    """Redacts texts and events; `hide` adds values that have no form of their own."""

    def __init__(self) -> None:
        self._hidden: frozenset[str] = frozenset()
        self._values: re.Pattern[str] | None = None

    def hide(self, *secrets: str) -> None:
        """Redact these values from now on, wherever they turn up."""
        self._hidden |= {secret for secret in secrets if len(secret) >= _HIDE_LEAST}
        longest_first = sorted(self._hidden, key=len, reverse=True)
        self._values = re.compile("|".join(map(re.escape, longest_first))) if self._hidden else None

    def text(self, told: str) -> str:
        """Return a text without its secrets, and with nothing that steers a terminal."""
        if self._values is not None:
            told = self._values.sub(HIDDEN, told)
        lowered = told.lower()
        if any(hint in lowered for hint in _HINTS):
            for form, instead in _FORMS:
                told = form.sub(instead, told)
        if len(told) >= _KEY_BYTES:
            told = _LONG_BASE58.sub(_key_or_signature, told)
        return _CONTROL.sub(_escaped, told)

    def value(self, told: Any, *, name: str = "", depth: int = 0) -> Any:  # noqa: ANN401 - any
        """Return a value of an event without its secrets; what is no plain data becomes text."""
        if told is None or isinstance(told, bool):
            return told
        if name and is_secret(name):
            return HIDDEN
        if isinstance(told, int | float):
            return told
        return self.text(told) if isinstance(told, str) else self._many(told, depth)

    def _many(self, told: Any, depth: int) -> Any:  # noqa: ANN401 - any
        if isinstance(told, Mapping) and depth < _DEPTH_MAX:
            return {
                self.text(str(key)): self.value(held, name=str(key), depth=depth + 1)
                for key, held in list(told.items())[:_ITEMS_MAX]
            }
        if isinstance(told, list | tuple | set | frozenset) and depth < _DEPTH_MAX:
            return self._row(list(told), depth)
        if isinstance(told, bytes | bytearray | memoryview):
            told = bytes(told)
            return HIDDEN if _is_wallet_key(told) else self.text(repr(told))
        return self.text(repr(told))

    def _row(self, told: list[Any], depth: int) -> Any:  # noqa: ANN401 - any
        if _is_numbers_of_a_key(told):
            return HIDDEN
        if _is_field(told):
            return [self.text(_plain(told[0])), HIDDEN]
        return [self.value(each, depth=depth + 1) for each in told[:_ITEMS_MAX]]


@lru_cache(1024)
def is_secret(name: str) -> bool:
    """Return whether what has this name is a secret: a password, a token, a header with one."""
    return _NAME.search(_CAMEL.sub("_", name)) is not None


def _key_or_signature(found: re.Match[str]) -> str:
    number = 0
    for letter in found[0]:
        number = number * len(_BASE58) + _DIGITS[letter]
    if number.bit_length() > _KEY_BYTES * 8:
        return found[0]
    return HIDDEN if _is_wallet_key(number.to_bytes(_KEY_BYTES, "big")) else found[0]


def _is_wallet_key(content: bytes) -> bool:
    """Return whether these are a seed and the public key that belongs to it."""
    if len(content) != _KEY_BYTES:
        return False
    # Commands that only ask never meet one, and need not load ciphers.
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415
        Ed25519PrivateKey,
    )

    half = _KEY_BYTES // 2
    public = Ed25519PrivateKey.from_private_bytes(content[:half]).public_key()
    return public.public_bytes_raw() == content[half:]


def _is_numbers_of_a_key(told: list[Any]) -> bool:
    return len(told) == _KEY_BYTES and all(
        type(each) is int and each.bit_length() <= _BYTE_BITS and each >= 0 for each in told
    )


def _is_field(told: list[Any]) -> bool:
    """Return whether this is a pair of a header's secret name and its value."""
    pair = len(told) == 2  # noqa: PLR2004 - name and value
    return pair and isinstance(told[0], str | bytes) and is_secret(_plain(told[0]))


def _plain(name: str | bytes) -> str:
    return name.decode("latin-1") if isinstance(name, bytes) else name


def _escaped(found: re.Match[str]) -> str:
    return f"\\x{ord(found[0]):02x}"


redaction: Final = Redaction()
"""The process's own: every door of its log goes through it, and what it tells people in errors."""
