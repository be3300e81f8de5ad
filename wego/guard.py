"""Pure ASGI around all routes: who asks, safe headers, how long it took, and an end when an answer does not come."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from time import perf_counter
from typing import Any

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wego.api.request import unavailable
from wego.client_address import Networks, client_of
from wego.core.db import is_away
from wego.core.errors import CostExceeded, Unavailable
from wego.core.traces import traced
from wego.failures import failure
from wego.metrics import Observed, route_of

log = logging.getLogger("wego.http")

LONGEST = 8.0  # seconds that a route may take; GraphQL has limits of its own
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SAFE = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", CSP.encode()),
)
# JSON is not a page: nothing in it may be loaded or framed, should a browser show it all the same.
API = (*SAFE[:2], (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"))


class Guard:
    """`/graphql` goes straight to its endpoint: routing and the exception middleware cost as much as all that it does
    before the database."""

    def __init__(self, app: ASGIApp, observed: Observed, graphql: ASGIApp, trusted: Networks) -> None:
        self.app, self.observed, self.graphql, self.trusted = app, observed, graphql, trusted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if "wego.client" not in scope:  # our own server tells it; another one, or a test, does not
            scope["wego.client"] = client_of(scope, self.trusted)
        began = perf_counter()
        if scope["path"] == "/graphql":
            try:
                await self.graphql(scope, receive, send)
            except asyncio.CancelledError:  # the server stops, and this took longer than it waits
                await _stopping(send)
            self.observed.took("graphql", perf_counter() - began)
        else:
            route = route_of(scope["path"])
            await _Bounded(self, route, scope, send).run(receive)
            self.observed.took(route, perf_counter() - began)


class _Bounded:
    """One request to a route beside GraphQL."""

    def __init__(self, guard: Guard, route: str, scope: Scope, send: Send) -> None:
        self._guard, self._route, self._scope, self._send = guard, route, scope, send
        self._started = self._over = False

    async def run(self, receive: Receive) -> None:
        """Give the application its time. Waiting for a cancelled task could be waiting for ever, so nobody does."""
        task = asyncio.ensure_future(self._guard.app(self._scope, receive, self._forward))
        try:
            await asyncio.wait({task}, timeout=LONGEST)
        finally:
            if not task.done():
                task.cancel()
                task.add_done_callback(_forget)
        if not task.done():
            log.error("%s %s took too long", self._scope["method"], self._route)
            await self._fail(503)
        elif task.cancelled():
            await self._fail(503)
        elif (error := task.exception()) is not None:
            await self._broken(error)

    async def _broken(self, error: BaseException) -> None:
        if is_away(error) or isinstance(error, (Unavailable, CostExceeded)):
            log.error("database: %s", type(error).__name__)
            await self._fail(503)
        else:
            log.error("a request failed\n%s", traced(error))
            await self._fail(500)

    async def _fail(self, status: int) -> None:
        if not self._started:
            await failure(self._scope, status)(self._scope, _nothing, self._forward)
        self._over = True

    async def _forward(self, message: Message) -> None:
        if self._over:
            return
        if message["type"] == "http.response.start":
            self._started = True
            message["headers"] = [*message["headers"], *SAFE]
            self._guard.observed.count(self._route, message["status"])
        await self._send(message)


async def _stopping(send: Send) -> None:
    body = orjson.dumps({"errors": [unavailable()]})
    headers = [
        (b"content-type", b"application/json; charset=utf-8"), (b"content-length", b"%d" % len(body)),
        (b"retry-after", b"2"), (b"connection", b"close"), *API,
    ]  # fmt: skip
    with contextlib.suppress(RuntimeError):  # what has begun cannot begin again
        await send({"type": "http.response.start", "status": 503, "headers": headers})
        await send({"type": "http.response.body", "body": body})


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


def _forget(task: asyncio.Future[Any]) -> None:
    if not task.cancelled():
        task.exception()  # looked at, so that nobody complains that it was not
