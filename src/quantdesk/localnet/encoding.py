"""Accounts as the RPC writes them, and the filters of getProgramAccounts."""

import base64
import binascii
from collections.abc import Callable
from typing import Any

from solders.account import Account

from quantdesk.localnet import base58
from quantdesk.localnet.params import Config, config, items
from quantdesk.localnet.parsed_accounts import parsed_account
from quantdesk.localnet.refusals import INVALID_REQUEST, RpcError, invalid

Json = Any
ENCODINGS = ("base58", "base64", "base64+zstd", "jsonParsed", "binary")
BASE58_BYTES_MAX = 128
FILTERS_MAX = 4
MEMCMP_BYTES_MAX = 128
BYTE_MAX = 255
Matches = Callable[[bytes], bool]


def view(options: Config, *, is_strict: bool = True) -> Callable[[Account, int | None], Json]:
    """Return what turns an account (and its mint's decimals, if known) into the RPC's shape.

    Where base 58 cannot hold the data a strict view refuses, as the node does. A notification has
    nobody to refuse, and what the node puts there no client can read: it carries base64.
    """
    encoding = options.choice("encoding", ENCODINGS) or "binary"
    if encoding == "base64+zstd":
        raise invalid("Invalid params: base64+zstd is not supported by the localnet")
    cut = options.table("dataSlice")
    window = None if cut is None else (cut.number("offset") or 0, cut.number("length") or 0)

    def fitting(account: Account) -> str:
        is_base58 = encoding in {"binary", "base58"}
        is_large = is_base58 and window is None and len(account.data) > BASE58_BYTES_MAX
        return "base64" if is_large and not is_strict else encoding

    def shown(account: Account, decimals: int | None) -> Json:
        data = account.data
        return {
            "lamports": account.lamports,
            "owner": str(account.owner),
            "executable": account.executable,
            "rentEpoch": account.rent_epoch,
            "space": len(data),
            "data": _data(account, fitting(account), window, decimals),
        }

    return shown


def matcher(filters: Json) -> Matches:
    """Read the filters of getProgramAccounts; all must match."""
    if filters is None:
        return lambda _: True
    tests = [_test(config(item)) for item in items(filters, most=FILTERS_MAX)]
    return lambda data: all(test(data) for test in tests)


def bytes_of(text: str, encoding: str) -> bytes:
    """Decode base58 or base64 text; raises RpcError as the node does."""
    try:
        if encoding == "base58":
            return base58.decode(text)
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error) as cause:
        raise invalid(f"invalid {encoding} encoding: {cause}") from cause


def encoded(data: bytes, encoding: str) -> Json:
    """Return bytes with the name of their encoding."""
    text = base58.encode(data) if encoding == "base58" else base64.b64encode(data).decode()
    return [text, encoding]


def _data(
    account: Account, encoding: str, window: tuple[int, int] | None, decimals: int | None
) -> Json:
    if encoding == "jsonParsed":
        parsed = parsed_account(account, decimals)
        if parsed is not None:
            return parsed
    data = account.data
    if window is not None:
        data = data[window[0] : window[0] + window[1]]
    if encoding in {"base64", "jsonParsed"}:
        return encoded(data, "base64")
    if len(data) > BASE58_BYTES_MAX:
        raise RpcError(
            INVALID_REQUEST,
            "Encoded binary (base 58) data should be less than 128 bytes, "
            "please use Base64 encoding.",
        )
    text = base58.encode(data)
    return text if encoding == "binary" else [text, encoding]


def _test(item: Config) -> Matches:
    size = item.number("dataSize")
    if size is not None:
        return lambda data: len(data) == size
    compare = item.table("memcmp")
    if compare is None:
        raise invalid("Invalid params: unknown filter, expected `dataSize` or `memcmp`")
    start = compare.number("offset") or 0
    wanted = _memcmp_bytes(compare)
    if len(wanted) > MEMCMP_BYTES_MAX:
        raise invalid("Invalid param: DataTooLarge")
    return lambda data: data[start : start + len(wanted)] == wanted


def _memcmp_bytes(compare: Config) -> bytes:
    value = compare.values.get("bytes")
    if isinstance(value, list) and all(isinstance(b, int) and 0 <= b <= BYTE_MAX for b in value):
        return bytes(value)
    if not isinstance(value, str):
        raise invalid("Invalid params: memcmp needs `bytes`")
    encoding = compare.choice("encoding", ("base58", "base64")) or "base58"
    return bytes_of(value, encoding)
