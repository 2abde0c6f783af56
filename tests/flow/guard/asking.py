"""Asks routes as the edge hands requests to them: the caller is known, and where from."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from fastapi import APIRouter

from quantdesk.access.model import Origin, Principal, Role
from quantdesk.access.policy import granted
from quantdesk.api.pages import pages
from quantdesk.core.errors import Refused
from quantdesk.telemetry.metrics import Metrics

PROOF = "a proof"


def session(account_id: UUID, role: Role = Role.TRADER, *, proven: bool = False) -> Principal:
    """Return somebody signed in, who proved to be there or did not."""
    return Principal(
        account_id=account_id,
        role=role,
        may=granted(role),
        session_id=UUID(int=account_id.int + (1 << 70)),
        proven_ms=1 if proven else None,
    )


def fresh(principal: Principal, _: int) -> None:
    """Raise unless the caller proved to be there, as `api.needs.fresh` does."""
    if principal.proven_ms is None and not principal.local:
        raise Refused("prove that it is you", code="proof.needed")


@dataclass(frozen=True)
class Answer:
    """What a route answered."""

    status: int
    body: Any

    @property
    def code(self) -> str:
        """Return the code of a problem."""
        code: str = self.body["code"]
        return code


class Asking:
    """Asks these routes."""

    def __init__(self, *routers: APIRouter) -> None:
        self._app = pages(routers, version="1", metrics=Metrics())

    async def __call__(self, who: Principal, method: str, path: str, body: object = None) -> Answer:
        """Return the answer to a request of that caller."""
        sent: list[dict[str, Any]] = []
        raw = b"" if body is None else msgspec.json.encode(body)

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": raw}

        async def send(message: Any) -> None:  # noqa: ANN401 - ASGI's
            sent.append(dict(message))

        bare, _, query = path.partition("?")
        await self._app(
            {
                "type": "http", "method": method, "path": bare, "raw_path": bare.encode(),
                "query_string": query.encode(), "headers": [(b"content-type", b"application/json")],
                "client": ("127.0.0.1", 1), "scheme": "http", "http_version": "1.1",
                "root_path": "", "request_id": 1, "principal": who,
                "origin": Origin(ip="203.0.113.7", agent="test", request_id="r1"),
            },
            receive,
            send,
        )  # fmt: skip
        text = b"".join(message.get("body", b"") for message in sent)
        return Answer(sent[0]["status"], msgspec.json.decode(text))
