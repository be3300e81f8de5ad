"""Facts made of kinds: as a type that is shown, as an input, as a check, and as columns of a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import NoneType
from typing import Any, TypeVar, get_args

import strawberry
from sqlmodel import SQLModel
from strawberry import UNSET

from wego.core import db, reads
from wego.core.errors import Invalid
from wego.core.facts.kinds import Kind, Path, camel, kept, listed
from wego.core.forms import Form

T = TypeVar("T")
Rule = Callable[[Form, dict[str, Any], Path], None]


@dataclass(frozen=True, slots=True)
class Fact:
    """A declared fact: its parts by name, its input, and what has to hold between its parts (or follows from them)."""

    parts: Mapping[str, Kind]
    input: Any
    rule: Rule | None

    def check(self, form: Form, value: Any, path: Path) -> dict[str, Any]:
        """The fact as it is kept."""
        if not isinstance(value, Mapping):
            form.refuse(Invalid("This value is of another kind than it must be.", path=path))
            return {}
        for name in value.keys() - self.parts.keys():
            form.refuse(unknown(str(name), path))
        found = {name: kind.check(form, value.get(name), (*path, camel(name))) for name, kind in self.parts.items()}
        if self.rule:
            self.rule(form, found, path)
        return found

    def given(self, value: Any) -> dict[str, Any]:
        return {name: kind.given(getattr(value, name)) for name, kind in self.parts.items()}


def unknown(name: str, path: Path) -> Invalid:
    """What is said of a name that no fact and no part of one has."""
    return Invalid("There is no fact with the name {name}.", path=(*path, name[:80]), name=name[:80])


def fact(doc: str, *, name: str | None = None, rule: Rule | None = None) -> Callable[[type[T]], type[T]]:
    """Declare a fact; the class becomes the type that is shown, and its `__fact__` holds the rest. `name` is that of
    the input without its ending, where it is not that of the class."""

    def declare(cls: type[T]) -> type[T]:
        parts = {each: kind for each, kind in vars(cls).items() if isinstance(kind, Kind)}
        for each, kind in parts.items():
            if (NoneType in get_args(cls.__annotations__[each])) is kind.required:
                raise TypeError(f"{cls.__name__}.{each}: the annotation and `required` say different things")
            setattr(cls, each, kind.show_part(each))
        made = strawberry.input(_input_class(f"{name or cls.__name__}Input", parts), description=doc)
        cls.__fact__ = Fact(parts, made, rule)  # type: ignore[attr-defined]  # read by `each` alone
        return strawberry.type(cls, description=doc)

    return declare


def _input_class(name: str, parts: Mapping[str, Kind]) -> type:
    """A class whose fields are those of an input."""
    made = type(name, (), {"__annotations__": {}, "__module__": __name__})
    for each, kind in parts.items():
        made.__annotations__[each] = kind.accepts if kind.required else kind.accepts | None
        setattr(made, each, kind.input_field())
    return made


class Each(Kind):
    """A list of facts, kept as JSON."""

    def __init__(self, cls: Any, doc: str, *, most: int, expected: int, source: str | None) -> None:
        super().__init__(doc)
        self.fact: Fact = cls.__fact__
        self.most, self.expected, self.source = most, expected, source
        self.accepts = list[self.fact.input]  # type: ignore[name-defined]  # a type made while running
        self.shows = list[cls]

    def check(self, form: Form, value: Any, path: Path) -> Any:
        given = listed(form, value, path, self.most)
        return kept([self.fact.check(form, each, (*path, at)) for at, each in enumerate(given)])

    def given(self, value: Any) -> Any:
        return [self.fact.given(each) for each in value]

    def column(self) -> Any:
        return db.document("[]")

    def field(self, name: str) -> tuple[Any, Any]:
        rows = self.source or "jsonb_array_elements({p}.{name}) with ordinality as {t}(value, ord)"
        source = rows.replace("{name}", name)
        return self.shows, reads.many(None, self.doc, order="{t}.ord", source=source, expected=self.expected)


def each(cls: Any, doc: str, *, most: int, expected: int = 10, source: str | None = None) -> Any:
    """A list of at most so many facts. `source` gives their rows where they need more than their own JSON."""
    return Each(cls, doc, most=most, expected=expected, source=source)


# ── the facts of a thing ──────────────────────────────────────────────────────────────────────────────────────────


def column(kind: Any) -> Any:
    """The column of a fact."""
    declared = kind.column()
    declared.metadata.append(kind)
    return declared


def facts_of(model: type[SQLModel]) -> dict[str, Kind]:
    """The facts that a model declares, by name."""
    parts = ((name, part) for name, declared in model.model_fields.items() for part in declared.metadata)
    return {name: part for name, part in parts if isinstance(part, Kind)}


def shown(model: type[SQLModel]) -> Callable[[type[T]], type[T]]:
    """Give a class the fields by which the facts of a model are read."""

    def declare(cls: type[T]) -> type[T]:
        for name, kind in facts_of(model).items():
            cls.__annotations__[name], declared = kind.field(name)
            setattr(cls, name, declared)
        return cls

    return declare


def sent(model: type[SQLModel]) -> Callable[[type[T]], type[T]]:
    """Give a class the fields by which the facts of a model are sent; what is absent stays."""

    def declare(cls: type[T]) -> type[T]:
        for name, kind in facts_of(model).items():
            cls.__annotations__[name] = kind.accepts | None
            setattr(cls, name, strawberry.field(default=UNSET, description=kind.doc))
        return cls

    return declare


def given_of(model: type[SQLModel], input: object) -> dict[str, Any]:
    """The facts that an input holds; null takes away what may be absent, and leaves the rest as it is."""
    found = {}
    for name, kind in facts_of(model).items():
        value = getattr(input, name)
        if value is not UNSET and (value is not None or not kind.required):
            found[name] = value if value is None else kind.given(value)
    return found


def check(form: Form, model: type[SQLModel], given: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """The columns of the facts that were given, and no others; `form` collects all that is wrong with them."""
    known = facts_of(model)
    for name in given.keys() - known.keys():
        form.refuse(unknown(str(name), path))
    return {
        name: known[name].check(form, value, (*path, camel(name))) for name, value in given.items() if name in known
    }
