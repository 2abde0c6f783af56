"""Why a transaction reverted, where its status does not say: the logs of its execution; pure.

A status tells a program's error by number. Raydium's CLMM renumbers its errors from version to
version, so what they mean stands in the logs alone.

Shape: https://solana.com/docs/rpc/http/gettransaction
"""

from typing import Any, Final

import msgspec

from quantdesk.chains.solana import builder
from quantdesk.chains.solana.failures import UNKNOWN, Failure, failure


class _Meta(msgspec.Struct, frozen=True, rename="camel"):
    err: Any = None
    log_messages: list[str] | None = None


class _Executed(msgspec.Struct, frozen=True):
    meta: _Meta | None = None


_ANSWER: Final = msgspec.json.Decoder(_Executed | None)


def explained(answer: bytes, raw: bytes) -> Failure | None:
    """Return what a `getTransaction` answer says of the failure of these signed bytes.

    None when it says no more than the status did.
    """
    try:
        executed = _ANSWER.decode(answer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if executed is None or executed.meta is None or executed.meta.err is None:
        return None
    logs = executed.meta.log_messages or ()
    why = failure(executed.meta.err, logs=logs, called=builder.programs(raw))
    return None if why.code == UNKNOWN and not logs else why
