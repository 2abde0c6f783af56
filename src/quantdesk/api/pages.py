"""The ordinary routes in their framework: errors as problem documents, one OpenAPI document."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Scope

from quantdesk.api import (
    alerts,
    books,
    candles,
    docs,
    execution,
    markets,
    news,
    orders,
    problems,
    sources,
    system,
)
from quantdesk.api.answers import SCHEMA, content, returns
from quantdesk.api.edge import request_id, unexpected
from quantdesk.api.malformed import cut
from quantdesk.core.errors import DeskError, Refused
from quantdesk.engines.orders.preview import PreviewView
from quantdesk.engines.orders.wire import EventView, OrderView
from quantdesk.telemetry.metrics import Metrics

_VIEWS: tuple[type[msgspec.Struct], ...] = (
    alerts.AlertsView,
    books.LevelsView,
    candles.CandlesView,
    execution.QualityView,
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
    sources.RawView,
    sources.RawsView,
    sources.RejectionsView,
    sources.SourcesView,
    system.HealthView,
    system.ReadyView,
    system.SystemView,
)
_CODES = {404: "request.not_found", 405: "request.method"}
_DETAILS = {
    "request.not_found": "nothing is at this path; /api/docs lists what there is",
    "request.method": "this path does not take this method; /api/docs lists what it takes",
}
_HOT = ("/api/orders", "/api/orders/preview", "/api/trading/order")
"""Paths whose POST the edge answers itself: here they are known only to refuse other methods."""


def pages(routers: Sequence[APIRouter], *, version: str, metrics: Metrics) -> FastAPI:
    """Return the framework application of these routes."""
    app = FastAPI(title="QuantDesk", version=version, docs_url=None, redoc_url=None)
    app.openapi_url = "/api/openapi.json"
    app.setup()
    for router in routers:
        app.include_router(router)

    @app.get("/api/docs", include_in_schema=False)
    async def page() -> HTMLResponse:
        return HTMLResponse(docs.PAGE)

    async def refused(request: Request, problem: Exception) -> Response:
        told = _problem(problem)
        metrics.http_problems.labels(told.code).inc()
        status, body = problems.body(told, request_id=request_id(request.scope))
        headers = {}
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            headers["Allow"] = ", ".join(_methods(known, request.scope))
        if told.retryable:
            headers["Retry-After"] = str(problems.RETRY_AFTER_S)
        return Response(body, status, headers, media_type=problems.CONTENT_TYPE)

    # Whatever else there is goes on to the edge, which logs it, once this has answered.
    for kind in (DeskError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, refused)
    for path in _HOT:
        app.add_route(path, _elsewhere, methods=["POST"], include_in_schema=False)
    known = [*app.routes, *(route for router in routers for route in router.routes)]
    app.openapi = lambda: _document(app)  # type: ignore[method-assign]
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


def _document(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        document = FastAPI.openapi(app)
        _, shapes = msgspec.json.schema_components(_VIEWS, ref_template=SCHEMA)
        shapes["NewOrderRequest"]["properties"] |= {
            "amount": {"type": "number", "exclusiveMinimum": 0},
            "limitPrice": {"type": ["number", "null"], "exclusiveMinimum": 0, "default": None},
        }
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas |= shapes
        for stale in ("HTTPValidationError", "ValidationError"):
            schemas.pop(stale, None)
        for path in document["paths"].values():
            for operation in path.values():
                operation["responses"].pop("422", None)
        document["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
        document["security"] = [{"key": []}]
        document["paths"].setdefault("/api/orders", {})["post"] = _hot(
            "Place an order", orders.PlacedView, status=201
        )
        document["paths"]["/api/trading/order"] = {
            "post": _hot("Place an order (as POST /api/orders)", orders.PlacedView, status=201)
        }
        document["paths"]["/api/orders/preview"] = {
            "post": _hot("Quote an order without placing it", PreviewView, status=200)
        }
        document["paths"]["/ws"] = _stream("Follow channels: docs/reference/websocket.md")
        document["paths"]["/ws/orders"] = _stream("Follow all of your orders (WebSocket)")
        document["paths"]["/ws/orders/{order_id}"] = _stream("Follow one order (WebSocket)")
        document["paths"]["/ws/orders/{order_id}"]["get"]["parameters"] = [
            {"name": "order_id", "in": "path", "required": True, "schema": {"type": "string"}}
        ]
        app.openapi_schema = document
    return app.openapi_schema


def _hot(summary: str, view: type[msgspec.Struct], *, status: int) -> dict[str, Any]:
    responses = {str(code): told for code, told in returns(view, status=status).items()}
    parameters = []
    if status == HTTPStatus.CREATED:
        replayed = "The same order as before, by its idempotency key."
        responses["200"] = {"description": replayed, "content": content(view)}
        parameters = [{"name": "Idempotency-Key", "in": "header", "schema": {"type": "string"}}]
    return {
        "tags": ["orders"],
        "summary": summary,
        "parameters": parameters,
        "requestBody": {"required": True, "content": content(orders.NewOrderRequest)},
        "responses": responses,
    }


def _stream(summary: str) -> dict[str, Any]:
    switched = {"description": "Messages of this shape.", "content": content(EventView)}
    return {"get": {"tags": ["orders"], "summary": summary, "responses": {"101": switched}}}
