"""The ordinary routes in their framework: errors as problem documents, one OpenAPI document."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final

import msgspec
from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Scope

from quantdesk.access.model import Permission
from quantdesk.api import (
    alerts,
    audit,
    books,
    candles,
    docs,
    feeds,
    keys,
    limits,
    localnet,
    markets,
    news,
    notices,
    operations,
    orders,
    portfolio,
    preferences,
    problems,
    security,
    sessions,
    sources,
    system,
    trading,
    users,
    welcome,
)
from quantdesk.api.answers import SCHEMA, content, returns
from quantdesk.api.edge import request_id, unexpected
from quantdesk.api.given import SESSION
from quantdesk.api.malformed import cut
from quantdesk.api.needs import BY_CHANNEL, public
from quantdesk.api.sign_in import views as sign_in_views
from quantdesk.core.errors import DeskError, Refused
from quantdesk.engines.orders.preview import PreviewView
from quantdesk.engines.orders.quality.wire import QualityView
from quantdesk.engines.orders.wire import EventView, OrderView
from quantdesk.telemetry.metrics import Metrics

_VIEWS: tuple[type[msgspec.Struct], ...] = (
    alerts.AlertsView,
    books.LevelsView,
    candles.CandlesView,
    QualityView,
    feeds.FeedsView,
    problems.Problem,
    orders.NewOrderRequest,
    orders.PlacedView,
    orders.PageView,
    orders.EvidenceView,
    OrderView,
    EventView,
    PreviewView,
    markets.MarketsView,
    markets.PricesView,
    markets.PriceView,
    markets.BalancesView,
    news.NewsView,
    keys.KeysView,
    keys.MadeKeyView,
    keys.NewKeyRequest,
    keys.RevokedKeyView,
    keys.RotateRequest,
    users.ChangeUserRequest,
    users.MeView,
    users.NewUserRequest,
    users.UsersView,
    sessions.EndedView,
    sessions.RefreshRequest,
    sessions.SessionsView,
    sessions.TicketView,
    welcome.SignedInView,
    sources.RawView,
    sources.RawsView,
    sources.RejectionsView,
    sources.SourcesView,
    system.HealthView,
    system.ReadyView,
    system.SystemView,
    *limits.VIEWS,
    *trading.VIEWS,
    *security.VIEWS,
    *notices.VIEWS,
    *audit.VIEWS,
    *localnet.VIEWS,
    *operations.VIEWS,
    *portfolio.VIEWS,
    *preferences.VIEWS,
    *sign_in_views.VIEWS,
)
_NONE: Final[Mapping[str, Any]] = MappingProxyType({})
_CODES = {404: "request.not_found", 405: "request.method"}
_DETAILS = {
    "request.not_found": "nothing is at this path; /api/docs lists what there is",
    "request.method": "this path does not take this method; /api/docs lists what it takes",
}
HOT: Final[Mapping[str, Permission]] = MappingProxyType(
    {
        "/api/orders": Permission.ORDERS_WRITE,
        "/api/trading/order": Permission.ORDERS_WRITE,
        "/api/orders/preview": Permission.MARKET_READ,
    }
)
"""What a POST needs whose answer the edge gives itself; here other methods are refused."""

STREAMS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "/ws": BY_CHANNEL,
        "/ws/orders": Permission.ORDERS_READ.value,
        "/ws/orders/{order_id}": Permission.ORDERS_READ.value,
    }
)
"""What a socket needs; on `/ws` each channel says it for itself."""


def pages(
    routers: Sequence[APIRouter],
    *,
    version: str,
    metrics: Metrics,
    messages: Mapping[str, Any] = _NONE,
) -> FastAPI:
    """Return the framework application of these routes; `messages` are what `/ws` says, by name."""
    app = FastAPI(title="QuantDesk", version=version, docs_url=None, redoc_url=None)
    app.openapi_url = "/api/openapi.json"
    app.setup()
    for router in routers:
        app.include_router(router)

    @app.get("/api/docs", include_in_schema=False, **public())
    async def page() -> HTMLResponse:
        return HTMLResponse(docs.PAGE)

    async def refused(request: Request, problem: Exception) -> Response:
        told = _problem(problem)
        metrics.http_problems.labels(told.code).inc()
        request.scope["problem"] = told
        status, body = problems.body(told, request_id=request_id(request.scope))
        headers = {n.decode(): v.decode() for n, v in problems.headers(told)}
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            headers["Allow"] = ", ".join(_methods(known, request.scope))
        return Response(body, status, headers, media_type=problems.CONTENT_TYPE)

    # Whatever else there is goes on to the edge, which logs it, once this has answered.
    for kind in (DeskError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, refused)
    for path in HOT:
        app.add_route(path, _elsewhere, methods=["POST"], include_in_schema=False)
    known = [*app.routes, *(route for router in routers for route in router.routes)]
    app.openapi = lambda: _document(app, messages)  # type: ignore[method-assign]
    return app


def _methods(known: Sequence[BaseRoute], scope: Scope) -> list[str]:
    routes = (route for route in known if isinstance(route, Route))
    fitting = (route for route in routes if route.matches(scope)[0] is not Match.NONE)
    return sorted({method for route in fitting for method in route.methods or ()})


async def _elsewhere(_: Request) -> Response:
    raise unexpected()


def _problem(problem: Exception) -> DeskError:
    match problem:
        case DeskError():
            return problem
        case RequestValidationError():
            faults = (_fault(fault) for fault in problem.errors())
            return Refused("; ".join(faults), code="request.malformed")
        case HTTPException():
            code = _CODES.get(problem.status_code, "request.malformed")
            detail = _DETAILS.get(code, HTTPStatus(problem.status_code).phrase)
            return Refused(detail, code=code)
        case _:
            return unexpected()


def _fault(fault: dict[str, Any]) -> str:
    name = cut(str(fault["loc"][-1]))
    if fault["type"] == "extra_forbidden":
        return f"there is no parameter {name} here"
    return f"{name}: {fault['msg']}"


def operation_id(method: str, path: str) -> str:
    """Return what an operation is called in generated clients: `getOrdersByOrderId`."""
    words = path.removeprefix("/api").strip("/").replace("_", "-").split("/")
    named = (f"by-{word[1:-1]}" if word.startswith("{") else word for word in words)
    return method.lower() + "".join(part.title() for word in named for part in word.split("-"))


def _document(app: FastAPI, messages: Mapping[str, Any]) -> dict[str, Any]:
    if app.openapi_schema is None:
        document = FastAPI.openapi(app)
        told, shapes = msgspec.json.schema_components(
            (*_VIEWS, *messages.values()), ref_template=SCHEMA
        )
        shapes |= dict(zip(messages, told[len(_VIEWS) :], strict=True))
        shapes["NewOrderRequest"]["properties"] |= {
            "amount": {"type": "number", "exclusiveMinimum": 0},
            "limitPrice": {"type": ["number", "null"], "exclusiveMinimum": 0, "default": None},
        }
        preferences.opened(shapes)
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas |= shapes
        for stale in ("HTTPValidationError", "ValidationError"):
            schemas.pop(stale, None)
        for path in document["paths"].values():
            for operation in path.values():
                operation["responses"].pop("422", None)
        document["components"]["securitySchemes"] = {
            "key": {"type": "http", "scheme": "bearer"},
            "cookie": {"type": "apiKey", "in": "cookie", "name": SESSION},
        }
        document["security"] = [{"key": []}, {"cookie": []}]
        document["paths"].setdefault("/api/orders", {})["post"] = _hot(
            "/api/orders", "Place an order", orders.PlacedView, status=201
        )
        document["paths"]["/api/trading/order"] = {
            "post": _hot(
                "/api/trading/order",
                "Place an order (as POST /api/orders)",
                orders.PlacedView,
                status=201,
            )
        }
        document["paths"]["/api/orders/preview"] = {
            "post": _hot(
                "/api/orders/preview", "Quote an order without placing it", PreviewView, status=200
            )
        }
        for path, permission in STREAMS.items():
            document["paths"][path] = _stream(_STREAMED[path], permission)
        document["paths"]["/ws/orders/{order_id}"]["get"]["parameters"] = [
            {"name": "order_id", "in": "path", "required": True, "schema": {"type": "string"}}
        ]
        if messages:
            document["paths"]["/ws"]["get"] |= _conversation()
        _name_operations(document)
        app.openapi_schema = document
    return app.openapi_schema


def _hot(path: str, summary: str, view: type[msgspec.Struct], *, status: int) -> dict[str, Any]:
    responses = {str(code): told for code, told in returns(view, status=status).items()}
    parameters = []
    if status == HTTPStatus.CREATED:
        replayed = "The same order as before, by its idempotency key."
        responses["200"] = {"description": replayed, "content": content(view)}
        parameters = [{"name": "Idempotency-Key", "in": "header", "schema": {"type": "string"}}]
    return {
        "tags": ["orders"],
        "summary": summary,
        "x-permission": HOT[path].value,
        "parameters": parameters,
        "requestBody": {"required": True, "content": content(orders.NewOrderRequest)},
        "responses": responses,
    }


def _name_operations(document: dict[str, Any]) -> None:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            operation["operationId"] = operation_id(method, path)


def _conversation() -> dict[str, Any]:
    """Return what is told of `/ws` beside what all streams are."""
    switched = "The desk says HubMessage; a client says HubAsk."
    said = {"application/json": {"schema": {"$ref": SCHEMA.format(name="HubMessage")}}}
    return {"responses": {"101": {"description": switched, "content": said}}}


_STREAMED = {
    "/ws": "Follow channels: docs/reference/websocket.md",
    "/ws/orders": "Follow all of your orders (WebSocket)",
    "/ws/orders/{order_id}": "Follow one order (WebSocket)",
}


def _stream(summary: str, permission: str) -> dict[str, Any]:
    switched = {"description": "Messages of this shape.", "content": content(EventView)}
    told = {"summary": summary, "x-permission": permission, "responses": {"101": switched}}
    return {"get": {"tags": ["orders"], **told}}
