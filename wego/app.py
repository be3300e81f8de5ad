"""The HTTP application: `create_app(settings, url)` joins routes and lifespan. Nothing happens on import."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from fastapi.telemetry import TelemetryConfig
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector
from starlette.routing import Route

from federation.routes import routes as federation_routes
from wego.api.endpoint import GraphQLEndpoint
from wego.api.hub import Hub, open_hub
from wego.core.settings import Settings
from wego.schema import sdl
from wego.web.home import home
from wego.worker import working

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# `/metrics` is what we tell; FastAPI's own telemetry cost a tenth of a list query.
NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
SAFE = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", CSP.encode()),
)
# JSON is not a page: nothing in it may be loaded or framed, should a browser show it all the same.
API = (*SAFE[:2], (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"))


class Answers(Collector):
    """How many answers of each status were given, for `/metrics`. All in one thread: a lock would only cost."""

    def __init__(self) -> None:
        self._of: dict[int, int] = {}

    def count(self, status: int) -> None:
        self._of[status] = self._of.get(status, 0) + 1

    def collect(self) -> Iterator[CounterMetricFamily]:
        family = CounterMetricFamily("wego_http_answers_total", "Answers by status.", labels=["status"])
        for status, count in sorted(self._of.items()):
            family.add_metric([str(status)], count)
        yield family


class Guard:
    """Pure ASGI: safe headers on every answer, and a count of answers for `/metrics`. `/graphql` goes straight to its
    endpoint: routing and the exception middleware cost as much as all that it does before the database."""

    def __init__(self, app: Any, count: Callable[[int], None], graphql: GraphQLEndpoint) -> None:
        self.app, self.count, self.graphql = app, count, graphql

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif scope["path"] == "/graphql":
            await self.graphql(scope, receive, send)
        else:
            await self.app(scope, receive, self._guarded(send))

    def _guarded(self, send: Any) -> Any:
        async def guarded(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *SAFE]
                self.count(message["status"])
            await send(message)

        return guarded


def create_app(settings: Settings, url: str, *, jobs: bool | None = None) -> FastAPI:
    """The application on a prepared database. `jobs` runs the worker beside it (default: the setting)."""
    registry = CollectorRegistry()
    answers = Answers()
    registry.register(answers)
    graphql = GraphQLEndpoint(API, answers.count)
    plans = Gauge("wego_documents", "Checked GraphQL documents in memory.", registry=registry)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_hub(settings, url) as hub:
            app.state.hub = graphql.hub = hub
            plans.set_function(lambda: len(hub.engine.library))
            app.router.routes.extend(federation_routes(hub))
            async with (
                working(hub.database, settings)
                if (settings.jobs if jobs is None else jobs)
                else contextlib.nullcontext()
            ):
                yield

    app = FastAPI(
        title="WeGO hub", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None, telemetry=NO_TELEMETRY
    )
    app.add_middleware(Guard, count=answers.count, graphql=graphql)
    _add_routes(app, registry)
    return app


def _add_routes(app: FastAPI, registry: CollectorRegistry) -> None:
    @app.get("/schema.graphql")
    async def schema_text() -> Response:
        return PlainTextResponse(sdl(), media_type="text/plain; charset=utf-8")

    @app.get("/health/live")
    async def live() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/health/ready")
    async def ready(request: Request) -> Response:
        hub: Hub = request.app.state.hub
        try:
            async with asyncio.timeout(2):
                await hub.database.reads.fetchval("select 1")
        except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return JSONResponse({"status": "the database does not answer"}, status_code=503)
        return JSONResponse({"status": "ok"})

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    app.router.routes.append(Route("/", home, methods=["GET"]))
    app.router.routes.append(Route("/static/hub.css", _style, methods=["GET"]))


async def _style(_request: Any) -> Response:
    from importlib.resources import files

    return Response(
        (files("wego.web") / "static" / "hub.css").read_bytes(), media_type="text/css",
        headers={"cache-control": "public, max-age=3600"},
    )  # fmt: skip
