"""HTTP/1.1 as it is spoken to strangers: uvicorn's parser (httptools, llhttp) with a limit on everything that is kept.

Binding texts: RFC 9112 (message syntax; sections 3.2, 6.1, 6.3, 11.2 on Host and smuggling), RFC 9110 section 15.
uvicorn bounds neither the time nor the size of a head, nor the time of a body, nor what a slow reader leaves in memory,
nor the number of requests sent ahead, and it joins trailers to the headers that were checked before. All that is done
here. Time is looked at by one sweep of all connections in half a second (`check`), not by a timer for each request,
so the limits cost a request next to nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from wego.client_address import client_of, is_trusted, name_of
from wego.serving.guests import Bounds, Guests
from wego.serving.words import refusal

SLICE = 16_384  # bytes that are parsed at once, so that a head is measured before much of it is kept
NEVER = float("inf")
LINGER = 1.0  # seconds in which what still comes after a refusal is read and forgotten


class HubProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(self, config: Any, server_state: Any, app_state: dict[str, Any], _loop: Any = None) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.access_log = False
        self.guests: Guests = server_state.guests
        self.bounds: Bounds = self.guests.bounds
        self.address = ""
        self.proxy = False
        self.idle_since: float | None = None
        self.deadline = NEVER
        self.reason = "idle"
        self.in_head = True
        self.partial = 0  # bytes since a head began, about
        self.body_read = 0  # bytes since a head ended, framing included
        self.held = 0  # bytes of bodies that the process counts for this connection
        self.deaf = False  # nothing more is read
        self.stuck_until = NEVER  # when a reader who takes nothing is given up
        self.gone = False
        self.hung_up: Callable[[], None] | None = None  # called when it is, by who works for this connection

    # ── opening and closing ───────────────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        self.address = name_of(self.client[0] if self.client else "")
        # What comes over a UNIX socket has no address, and what comes from a proxy stands for many.
        self.proxy = self.client is None or is_trusted(self.client[0], self.bounds.trusted)
        reason = self.guests.admit(self, proxy=self.proxy)
        if reason is not None:
            self._turn_away(reason)
            return
        self._expect_head(self.bounds.head_seconds)

    def _turn_away(self, reason: str) -> None:
        self.deaf = True
        self.guests.refused[reason] += 1
        self.connections.discard(self)
        self.transport.write(refusal(503))
        self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone = True
        self.guests.left(self)
        self._give_back()
        self.deadline = self.stuck_until = NEVER
        super().connection_lost(exc)
        if self.hung_up is not None:
            self.hung_up()

    def leave(self) -> None:
        """End at once, whatever is under way."""
        self.transport.abort()

    def _expect_head(self, seconds: float, reason: str = "head") -> None:
        now = self.loop.time()
        self.idle_since = now
        self.in_head, self.partial, self.reason = True, 0, reason
        self.deadline = now + seconds

    # ── reading ───────────────────────────────────────────────────────────────────────────────────────────────

    def data_received(self, data: bytes) -> None:
        if self.deaf:
            return
        if len(data) <= SLICE:
            self._parse(data)
            return
        view = memoryview(data)
        for start in range(0, len(data), SLICE):
            if self.deaf or self.parser is None or self.transport.is_closing():
                return
            self._parse(bytes(view[start : start + SLICE]))

    def _parse(self, data: bytes) -> None:
        if self.in_head:
            if self.reason == "idle":  # the first byte of another request
                self._expect_head(self.bounds.head_seconds)
            self.partial += len(data)
        else:
            self.body_read += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._no_upgrade()
        except httptools.HttpParserError:
            self._refuse(400)
            return
        if self.in_head and self.partial > self.bounds.head_bytes + SLICE:
            self._refuse(414 if not self.headers else 431)
        elif not self.in_head and self.body_read > 2 * self.bounds.body_bytes:
            self._refuse(413)

    def _no_upgrade(self) -> None:
        """No other protocol is spoken here: the request is answered as it is, and nothing after it is read."""
        self.deaf = True
        if self.cycle is not None:
            self.cycle.keep_alive = False

    def on_message_begin(self) -> None:
        if self.deaf:
            return
        self.in_head, self.partial, self.body_read = True, min(self.partial, SLICE), 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if (
            self.in_head and not self.deaf
        ):  # what comes after the body (trailers) was never checked and means nothing here
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self.deaf:
            return
        self.in_head = False
        status = self._wrong_head()
        if status:
            self._refuse(status)
            return
        now = self.loop.time()
        self.idle_since = None
        self.deadline, self.reason = now + self.bounds.body_seconds, "body"
        if len(self.pipeline) >= self.bounds.pipelined:
            self._refuse(429)
            return
        trusted = self.bounds.trusted
        self.scope["wego.client"] = client_of(self.scope, trusted) if trusted else self.address  # type: ignore[typeddict-unknown-key]  # ours
        self.scope["wego.line"] = self  # type: ignore[typeddict-unknown-key]  # ours
        super().on_headers_complete()

    def _wrong_head(self) -> int:
        """The status with which a head is refused; 0: it is good."""
        if len(self.headers) > self.bounds.headers:
            return 431
        hosts = lengths = 0
        for name, value in self.headers:
            if name == b"host":
                hosts += 1
            elif name == b"content-length":
                lengths += 1
                if int(value) > self.bounds.body_bytes:
                    return 413
        version = self.parser.get_http_version()
        if hosts > 1 or lengths > 1 or version not in ("1.1", "1.0") or (hosts == 0 and version == "1.1"):
            return 400
        if self.partial > self.bounds.head_bytes:
            if len(self.url) > self.bounds.head_bytes // 2:
                return 414
            if len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > self.bounds.head_bytes:
                return 431
        return 0

    def on_body(self, body: bytes) -> None:
        if self.deaf or self.cycle is None:
            return
        if not self.cycle.response_complete:
            self.held += len(body)
            self.guests.bodies += len(body)
        if self.guests.bodies > self.bounds.bodies_bytes and self.held > self.bounds.small_body:
            self._refuse(503)
            return
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self.deaf or self.cycle is None:
            return
        self.deadline = NEVER  # now it is our turn
        super().on_message_complete()
        if self.cycle.response_complete:
            self._expect_head(self.bounds.idle_seconds, "idle")

    # ── answering ─────────────────────────────────────────────────────────────────────────────────────────────

    def on_response_complete(self) -> None:
        """Like uvicorn's, without a timer for each answer."""
        self.server_state.total_requests += 1
        self._give_back()
        if self.transport.is_closing():
            return
        if self.deaf:
            self.transport.close()
            return
        self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
        elif self.cycle.more_body:  # answered before all was read: the rest gets a moment
            self.deadline, self.reason = self.loop.time() + self.bounds.leave_seconds, "rest"
        elif not self.in_head or self.reason == "body":
            self._expect_head(self.bounds.idle_seconds, "idle")

    def _give_back(self) -> None:
        self.guests.bodies -= self.held
        self.held = 0

    def _refuse(self, status: int) -> None:
        """Answer a request that never becomes one, and end. While an earlier one is still being answered nothing can
        be said in its place: the connection ends after that answer."""
        if self.deaf:
            return
        self.deaf = True
        self.guests.refused[str(status)] += 1
        cycle, queued = self.cycle, bool(self.pipeline)
        self.pipeline.clear()
        if queued:  # an earlier request is being answered; `on_response_complete` ends the connection
            return
        if cycle is None or cycle.response_complete:
            self._end_with(status)
        elif not cycle.more_body:
            cycle.keep_alive = False
        elif cycle.response_started:
            self._disconnect(cycle)
            self.transport.close()
        else:  # it is the very request whose body is refused
            self._disconnect(cycle)
            self._end_with(status)

    @staticmethod
    def _disconnect(cycle: Any) -> None:
        cycle.disconnected = True
        cycle.message_event.set()

    def _end_with(self, status: int) -> None:
        """Say why, and hang up softly: were the rest not read, the system would reset the connection, and the client
        would never see the answer (RFC 9112 section 9.6)."""
        self._give_back()
        self.transport.write(refusal(status))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.flow.resume_reading()
        self.deadline, self.reason = self.loop.time() + LINGER, "refused"

    # ── time ──────────────────────────────────────────────────────────────────────────────────────────────────

    def pause_writing(self) -> None:
        waiting = self.transport.get_write_buffer_size()
        self.stuck_until = self.loop.time() + self.bounds.answer_seconds + waiting / self.bounds.answer_rate
        super().pause_writing()

    def resume_writing(self) -> None:
        self.stuck_until = NEVER
        super().resume_writing()

    def check(self, now: float) -> None:
        """End what took too long."""
        if now >= self.stuck_until:
            self.guests.refused["slow_reader"] += 1
            self.transport.abort()
        elif now >= self.deadline + (self.body_read / self.bounds.body_rate if self.reason == "body" else 0.0):
            self.deadline = NEVER
            self._too_late()

    def _too_late(self) -> None:
        if self.reason in ("idle", "rest", "refused") or (self.reason == "head" and not self.partial):
            self.transport.close() if self.reason == "idle" else self.transport.abort()
            return
        self._refuse(408)

    def timeout_keep_alive_handler(self) -> None:
        """Never armed: `check` does it."""

    def shutdown(self) -> None:
        """The server stops: let an answer end, and wait for nobody who has not said all that he wants."""
        if self.cycle is not None and not self.cycle.response_complete and self.cycle.more_body:
            self._refuse(503)
            self.transport.close()
        else:
            super().shutdown()


def check_all(connections: Any, guests: Guests) -> None:
    """One sweep: time of each connection, and the memory of all answers that wait for their readers."""
    now = asyncio.get_running_loop().time()
    waiting = []
    for connection in list(connections):
        connection.check(now)
        size = connection.transport.get_write_buffer_size()
        if size:
            waiting.append((size, connection))
    total = sum(size for size, _ in waiting)
    for size, connection in sorted(waiting, key=lambda each: -each[0]):
        if total <= guests.bounds.answers_bytes:
            break
        guests.refused["slow_reader"] += 1
        connection.leave()
        total -= size
