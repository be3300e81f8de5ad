"""The HTTP application: `create_app(settings, url)` joins routes and lifespan. Nothing happens on import."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from wego import packages
from wego.api.endpoint import GraphQLEndpoint
from wego.api.hub import Hub, figures_of
from wego.client_address import networks
from wego.core.settings import Settings
from wego.core.tasks import ended
from wego.failures import failure
from wego.guard import API, Guard
from wego.metrics import Board, Figures, Observed, resident_bytes
from wego.readiness import Readiness, families
from wego.schema import sdl
from wego.serving.guests import Bounds, Guests
from wego.web import pages, static
from wego.web.shell import Site, door, not_found
from wego.worker import working

START_SECONDS = 30.0  # for opening everything on a database that has just answered
# `/metrics` is what we tell; FastAPI's own telemetry cost a tenth of a list query.
NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}


def create_app(
    settings: Settings, url: str, *, jobs: bool | None = None, guests: Guests | None = None,
    around: Sequence[AbstractAsyncContextManager[None]] = (),
) -> FastAPI:  # fmt: skip
    """The application on a prepared database. `jobs` runs the worker beside it (default: the setting). `guests` are the
    connections of the server that faces the net, for its figures. What is `around` is entered first and left last."""
    hub, observed, guests = Hub(settings, url), Observed(), guests or Guests(Bounds())
    site = Site(hub)
    board = Board(
        settings.home, observed, partial(_refusals, hub, guests), partial(_gauges, hub, guests),
        several=settings.workers > 1,
    )  # fmt: skip

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as stack:
            for each in around:
                await stack.enter_async_context(each)
            async with asyncio.timeout(START_SECONDS):
                await stack.enter_async_context(hub.opened())
            counting = asyncio.create_task(board.write_for_ever(), name="metrics")
            stack.push_async_callback(ended, counting)
            if settings.jobs if jobs is None else jobs:
                await stack.enter_async_context(working(hub.database, settings))
            yield

    app = FastAPI(
        title="WeGO hub", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None, telemetry=NO_TELEMETRY,
        redirect_slashes=False,
        exception_handlers={HTTPException: partial(_refused, site)},
        routes=[*_routes(settings), *_of_rooms(hub), *pages.routes(site)],
    )  # fmt: skip
    graphql = GraphQLEndpoint(hub, API, observed.count_graphql)
    app.add_middleware(Guard, observed=observed, graphql=graphql, trusted=networks(settings.trusted_proxies))
    app.state.hub, app.state.readiness, app.state.board = hub, Readiness(hub), board
    return app


def _of_rooms(hub: Hub) -> list[Route]:
    """The routes that the rooms bring, within the rates of the hub."""
    return [route for room in packages.brought("routes") for route in room.routes(hub, hub.rates)]


def _routes(settings: Settings) -> list[Route]:
    found = [
        Route("/", door),
        Route("/schema.graphql", _schema),
        Route("/health", _live),
        Route("/health/live", _live),
        Route("/health/ready", _ready),
        Route("/static/{name}", static.serve),
    ]
    return [*found, Route("/metrics", _metrics(settings.metrics_token))] if settings.metrics_token else found


async def _refused(site: Site, request: Request, error: Exception) -> Response:
    """What the router says no to: no such address, another method."""
    assert isinstance(error, HTTPException)
    if error.status_code == 404 and "text/html" in request.headers.get("accept", "")[:1_000]:
        return not_found(site, request)
    return failure(request.scope, error.status_code, error.headers)


async def _live(_request: Request) -> Response:
    """The process answers. Asks nobody, so it is as fast under attack as in peace."""
    return JSONResponse({"status": "ok"}, headers={"cache-control": "no-store"})


async def _ready(request: Request) -> Response:
    readiness: Readiness = request.app.state.readiness
    state = await readiness.state()
    headers = {"cache-control": "no-store", **({} if state.ready else {"retry-after": "5"})}
    return JSONResponse(state.told(), 200 if state.ready else 503, headers)


def _metrics(token: str) -> Any:
    """`/metrics` for who has the token."""
    expected = f"bearer {token}".encode()

    async def metrics(request: Request) -> Response:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if not hmac.compare_digest(f"{scheme.lower()} {given.strip()}".encode(), expected):
            return failure(request.scope, 401, {"www-authenticate": 'Bearer realm="metrics"'})
        board: Board = request.app.state.board
        state = await request.app.state.readiness.state()
        snapshots = await asyncio.to_thread(board.all)
        registry = CollectorRegistry()
        registry.register(Figures(snapshots, families(state)))
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return metrics


def _refusals(hub: Hub, guests: Guests) -> dict[str, int]:
    """Why connections and requests were refused: by the server that faces the net, and by the rates."""
    return {**guests.refused, **{f"rate_{purpose}": count for purpose, count in hub.rates.refused.items()}}


def _gauges(hub: Hub, guests: Guests) -> dict[str, float]:
    return {**figures_of(hub), **guests.figures(), "memory_bytes": resident_bytes()}


async def _schema(_request: Request) -> Response:
    return PlainTextResponse(sdl(), media_type="text/plain; charset=utf-8")
