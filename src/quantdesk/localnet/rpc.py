"""From the bytes of a request to the bytes of its answer: one call or a batch, over any wire."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog

from quantdesk.localnet import (
    methods_accounts,
    methods_admin,
    methods_chain,
    methods_ledger,
    methods_send,
)
from quantdesk.localnet.execute import is_panic
from quantdesk.localnet.node import Node
from quantdesk.localnet.params import Params
from quantdesk.localnet.refusals import (
    INTERNAL,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE,
    RpcError,
    invalid,
)

Json = Any
Extra = Callable[
    [str, Params], Json
]  # methods of one connection; RpcError METHOD_NOT_FOUND if none
METHODS = (
    methods_chain.METHODS
    | methods_accounts.METHODS
    | methods_send.METHODS
    | methods_ledger.METHODS
    | methods_admin.METHODS
)
BATCH_MAX = 1000
ADMIN = "localnet_"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: whether it may use the operator's methods, and what its own connection adds."""

    is_operator: bool
    own: Extra | None = None


encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode
log = structlog.get_logger("localnet")


async def answer(node: Node, body: bytes | str, caller: Caller) -> bytes:
    """Return the answer to a request body; empty when nothing in it asks for one."""
    try:
        request = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return encode(_error(None, RpcError(PARSE, "Parse error")))
    if not isinstance(request, list):
        found = await _call(node, request, caller)
        return b"" if found is None else encode(found)
    if not 0 < len(request) <= BATCH_MAX:
        return encode(_error(None, RpcError(INVALID_REQUEST, "Invalid request")))
    answers = [await _call(node, item, caller) for item in request]
    kept = [found for found in answers if found is not None]
    return encode(kept) if kept else b""


async def _call(node: Node, request: Json, caller: Caller) -> Json:
    if not isinstance(request, dict) or not isinstance(request.get("method"), str):
        ident = request.get("id") if isinstance(request, dict) else None
        return _error(ident, RpcError(INVALID_REQUEST, "Invalid request"))
    is_notification = "id" not in request
    ident, name = request.get("id"), request["method"]
    try:
        result = await _result(node, name, request.get("params"), caller)
    except RpcError as error:
        return None if is_notification else _error(ident, error)
    return None if is_notification else {"jsonrpc": "2.0", "id": ident, "result": result}


async def _result(node: Node, name: str, values: Json, caller: Caller) -> Json:
    params = _params(values)
    if not name.startswith(ADMIN):
        delay_ms, error = node.faults.strike(name)
        node.faults.spend()
        if delay_ms:
            await node.clock.sleep(delay_ms / 1000)
        if error is not None:
            raise error
    try:
        return _run(node, name, params, caller)
    except RpcError:
        raise
    except BaseException as failure:  # the outermost edge: a panic of the binding is no Exception
        if not isinstance(failure, Exception) and not is_panic(failure):
            raise
        node.count("internal_errors")
        log.exception("localnet.method_failed", method=name)
        raise RpcError(INTERNAL, "Internal error") from failure


def _run(node: Node, name: str, params: Params, caller: Caller) -> Json:
    method = METHODS.get(name)
    if method is not None and (caller.is_operator or not name.startswith(ADMIN)):
        node.count(name)
        return method(node, params)
    if caller.own is None:
        raise RpcError(METHOD_NOT_FOUND, "Method not found")
    return caller.own(name, params)


def _params(values: Json) -> Params:
    if values is None:
        return Params([])
    if not isinstance(values, list):
        raise invalid("`params` should be an array")
    return Params(values)


def _error(ident: Json, error: RpcError) -> Json:
    return {"jsonrpc": "2.0", "id": ident, "error": error.body()}
