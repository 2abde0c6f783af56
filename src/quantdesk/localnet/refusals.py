"""Errors of the JSON-RPC itself, with the codes clients act on.

Source: https://docs.rs/solana-rpc-client-api (custom_error, the -320xx codes).
"""

from typing import Any

from quantdesk.core.errors import Refused

PARSE, INVALID_REQUEST, METHOD_NOT_FOUND = -32700, -32600, -32601
INVALID_PARAMS, INTERNAL = -32602, -32603
PREFLIGHT, SIGNATURE, NOT_AVAILABLE = -32002, -32003, -32004
UNHEALTHY, SKIPPED, MIN_CONTEXT_SLOT = -32005, -32007, -32016
VERSION = -32015


class RpcError(Refused):
    """An answer that is an error object; `rpc_code` and `data` as the client sees them."""

    default_code = "localnet.rpc"

    def __init__(self, rpc_code: int, detail: str, data: Any = None) -> None:  # noqa: ANN401
        super().__init__(detail)
        self.rpc_code = rpc_code
        self.data = data

    def body(self) -> dict[str, Any]:
        """Return the error object."""
        found: dict[str, Any] = {"code": self.rpc_code, "message": self.detail}
        if self.data is not None:
            found["data"] = self.data
        return found


def invalid(detail: str) -> RpcError:
    """Return the error for a parameter that cannot be read."""
    return RpcError(INVALID_PARAMS, detail)


def unhealthy(detail: str) -> RpcError:
    """Return the error of a node that cannot serve now."""
    return RpcError(UNHEALTHY, f"Node is unhealthy: {detail}", {"numSlotsBehind": None})
