"""Who listens to the log: handlers by name, each with the events that it waits for.

    @on(Event.MEMBER_SUSPENDED, name="federation.push_status")
    async def push_status(database: Database, entry: Entry) -> None:
        …

A write only makes its entry; whoever is above listens. **Delivery is at least once**: a handler that was killed, ran
out of time or raised gets the same entry again, also after it had done its work, so it must be idempotent (an upsert
by `entry.index`, a message with an id made of it). Entries come one at a time and in the order of the log; a handler
that fails is tried again for as long as it fails, and holds up nobody but itself. What may fail alone, such as one of
many addressees, is therefore put into the queue (`jobs.enqueue`) by the handler.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from wego.core.audit.entries import Event, Subject
from wego.core.db import Database

SECONDS = 60.0  # that a handler may take for one entry
WATERMARK = ""  # how far any worker has followed the log: where a listener begins that is new


@dataclass(frozen=True, slots=True)
class Entry:
    """What a listener is told: one entry of the log, without its words. What an entry of an older form does not say
    (`acting`, `decided`, `place_id`) is empty."""

    index: int
    at: datetime
    event: Event
    actor: str
    acting: dict[str, Any]
    subject_type: Subject
    subject_id: UUID
    place_id: UUID | None
    decided: dict[str, dict[str, Any]]
    facts: dict[str, Any]


Hear = Callable[[Database, Entry], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Listener:
    """A handler and what it waits for. `past`: it begins with the first entry that there is, as what keeps a picture
    of the whole does; others begin where the workers were when it first came."""

    name: str
    events: frozenset[Event]
    hear: Hear
    seconds: float = SECONDS
    past: bool = False


LISTENERS: dict[str, Listener] = {}


def on(*events: Event, name: str, seconds: float = SECONDS, past: bool = False) -> Callable[[Hear], Hear]:
    """Listen to these events. The name is kept in the database beside the place that was reached: never rename it."""
    if not name or not events:
        raise ValueError("a listener has a name, and events that it waits for")

    def register(hear: Hear) -> Hear:
        if name in LISTENERS and LISTENERS[name].hear is not hear:
            raise ValueError(f"two listeners have the name {name}")
        LISTENERS[name] = Listener(name, frozenset(events), hear, seconds, past)
        return hear

    return register
