"""The one list of the rooms: what each brings. A room is named here and nowhere else.

A room brings modules by these names: `models` (its tables), `graphql` (an `EXPOSED`: what of it the API shows), `terms`
(the words of its vocabularies), `jobs` (what happens later, at night, or after an entry of the log), `routes` (the
endpoints of a protocol), and the modules of `wego.cli` with its commands. They are named, not imported: whoever needs
what the rooms bring asks for it, so that a command loads no more than it uses. A test compares the list with the
folders.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

PARTS = frozenset({"models", "graphql", "terms", "jobs", "routes"})


@dataclass(frozen=True, slots=True)
class Room:
    """One room: its dotted name, the parts that it brings, where its commands are, and where its `EXPOSED` stands."""

    name: str
    parts: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    graphql: str = "graphql"


# In the order of direction: a room knows those above it.
ROOMS = (
    Room("wego.core", ("models",), commands=("wego.cli.audit",)),
    Room("i18n.language", ("graphql", "terms"), graphql="vocabularies"),
    Room("i18n.content", ("models",)),
    Room("members.register", ("models", "graphql")),
    Room("members.people", ("models", "graphql")),
    Room("members.membership", ("models", "graphql", "terms", "jobs"), commands=("wego.cli.members",)),
    Room("practices.cases", ("models", "graphql", "terms", "jobs"), commands=("wego.cli.practices",)),
    Room("practices.reviews", ("graphql",)),
    Room("federation.jose", ("models",), commands=("wego.cli.keys",)),
    Room("federation.oauth", ("models", "jobs", "routes"), commands=("wego.cli.programs", "wego.cli.tokens")),
    Room("wego", ("jobs",)),
)


def brought(part: str) -> Iterator[Any]:
    """The modules of this name that the rooms bring, in their order; loading one is what registers its jobs."""
    for room in ROOMS:
        if part in room.parts:
            yield import_module(f"{room.name}.{room.graphql if part == 'graphql' else part}")


def commands() -> Iterator[Any]:
    """The modules of commands that the rooms bring, in their order."""
    for room in ROOMS:
        for name in room.commands:
            yield import_module(name)
