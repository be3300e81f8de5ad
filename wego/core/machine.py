"""A life as one table: from which state, by which verb, to which state, who may, and what the log says of it.

    CITY, OFFICE = Who(P.MEMBERSHIP_APPLY, "city"), Who(P.MEMBERSHIP_DECIDE)
    LIFE = Life(
        #    from             verb            to               who     event
        Step(None,            Verb.APPLY,     State.DRAFT,     CITY,   Event.APPLICATION_DRAFTED),
        Step(State.DRAFT,     Verb.APPLY,     To.SAME,         CITY,   Event.APPLICATION_DRAFTED),
        Step(State.CHECKED,   Verb.ADMIT,     State.FULL,      OFFICE, Event.MEMBER_ADMITTED, when=is_city),
        *each(ACTIVE,         Verb.SUSPEND,   State.SUSPENDED, OFFICE, Event.MEMBER_SUSPENDED, terms=WITH_REASON),
        Step(State.SUSPENDED, Verb.REINSTATE, To.BACK,         OFFICE, Event.MEMBER_REINSTATED),
        impossible=lambda state: Conflict("The membership is {state}: this is not possible now.", state=state),
    )

    step = LIFE.step(actor, membership, Verb.SUSPEND, {"city": membership.city_id})    # may you, and is it possible
    membership.before_hold, membership.status = step.source, step.reached()
    await audit.record(db, actor, step.event, "City", membership.city_id)

Who may is a permission at a side of the thing. A side is a place (a post there that has the permission counts) or
whether the actor himself is it (`"editor": True`). The service says what the sides are, because it knows the thing:
`{"city": …}` for what belongs to one, `{"provider": …, "consumer": …}` for an agreement of two. A post that has the
permission everywhere, as in the secretariat, may always. What a step asks beside all this (the body that decides, a
reason, a majority) is the noun's own and lies in `terms`; `when` says of which things a row is, where it is not of all.

Binding text: design/house.md section 2; design/domain.md 5.1 to 5.3 for the lives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from operator import attrgetter
from typing import Any, Generic, TypeVar
from uuid import UUID

from wego.core import access
from wego.core.access import Actor, Permission
from wego.core.audit import Event
from wego.core.errors import Refusal
from wego.core.vocabulary import Nothing

S = TypeVar("S", bound=StrEnum)
V = TypeVar("V", bound=StrEnum)
Sides = Mapping[str, UUID | bool | None]

NO_SIDES: Sides = {}


class To(Enum):
    """Where a step leads that leads to no state of its own."""

    SAME = "same"  # it stays as it is, such as a draft that is written on
    BACK = "back"  # to the state before a hold, which the thing itself remembers
    GONE = "gone"  # it is there no more, such as a draft that is deleted


@dataclass(frozen=True, slots=True, init=False)
class Who:
    """Who may: a post that has the permission everywhere, or at one of these sides of the thing. `a & b`: who is
    both."""

    permission: Permission
    sides: tuple[str, ...]
    besides: Who | None

    def __init__(self, permission: Permission, *sides: str, besides: Who | None = None) -> None:
        object.__setattr__(self, "permission", permission)
        object.__setattr__(self, "sides", sides)
        object.__setattr__(self, "besides", besides)

    def __and__(self, other: Who) -> Who:
        return Who(self.permission, *self.sides, besides=other if self.besides is None else self.besides & other)

    def allows(self, actor: Actor, sides: Sides = NO_SIDES) -> bool:
        if self.besides is not None and not self.besides.allows(actor, sides):
            return False
        return actor.may(self.permission) or any(self._at(actor, sides.get(side)) for side in self.sides)

    def _at(self, actor: Actor, side: UUID | bool | None) -> bool:
        return side if isinstance(side, bool) else side is not None and actor.may(self.permission, side)


@dataclass(frozen=True, slots=True)
class Step(Generic[S, V]):
    """One row. `source` None: there is nothing yet. `when` narrows the row to some things; `via` names a verb whose
    step is taken, and told, first; `terms` is what else the noun asks; `denied` says it where the verb would be the
    actor's in another state, but not in this one."""

    source: S | None
    verb: V
    target: S | To
    who: Who
    event: Event
    when: Callable[[Any], bool] | None = None
    via: V | None = None
    terms: Any = None
    denied: Callable[[], Refusal] | None = None

    def reached(self, before: S | None = None) -> S | None:
        """The state to which it leads; None where the thing is gone. `before` is the state before the hold."""
        match self.target:
            case To.SAME:
                return self.source
            case To.BACK:
                return before
            case To.GONE:
                return None
            case state:
                return state


def each(
    sources: Iterable[S | None], verb: V, target: S | To, who: Who, event: Event, **more: Any
) -> Iterator[Step[S, V]]:
    """The same row from several states, in the order of their names."""
    return (Step(source, verb, target, who, event, **more) for source in sorted(sources, key=lambda each: each or ""))


class Life(Generic[S, V]):
    """The whole table. What is not in it is refused with `impossible`, which is given the state itself."""

    def __init__(
        self,
        *steps: Step[S, V],
        impossible: Callable[[StrEnum], Refusal],
        state: Callable[[Any], S] = attrgetter("status"),
    ) -> None:
        self.steps = steps
        self._impossible, self._state = impossible, state
        self._rows: dict[tuple[S | None, V], list[Step[S, V]]] = {}
        self._verbs: dict[V, list[Who]] = {}
        for step in steps:
            self._rows.setdefault((step.source, step.verb), []).append(step)
            self._verbs.setdefault(step.verb, []).append(step.who)

    def require(self, actor: Actor, verb: V, sides: Sides = NO_SIDES) -> None:
        """Raise unless the verb is the actor's in some state of the thing."""
        if not any(who.allows(actor, sides) for who in self._verbs[verb]):
            raise access.refusal(actor)

    def possible(self, thing: object | None, verb: V) -> Step[S, V] | None:
        """The row that leads on from the present state of the thing (None: there is none yet), whoever asks."""
        rows = self._rows.get((None if thing is None else self._state(thing), verb), ())
        return next((row for row in rows if row.when is None or row.when(thing)), None)

    def step(self, actor: Actor, thing: object | None, verb: V, sides: Sides = NO_SIDES) -> Step[S, V]:
        """The row that the actor takes: may he at all, is it possible now, and may he in this state."""
        self.require(actor, verb, sides)
        row = self.possible(thing, verb)
        if row is None:
            raise self.impossible(thing)
        if not row.who.allows(actor, sides):
            raise row.denied() if row.denied else self.impossible(thing)
        return row

    def open_to(self, actor: Actor, thing: object | None, sides: Sides = NO_SIDES) -> list[V]:
        """The verbs that the actor may take now, in the order of the table."""
        rows = ((verb, self.possible(thing, verb)) for verb in self._verbs)
        return [verb for verb, row in rows if row is not None and row.who.allows(actor, sides)]

    def impossible(self, thing: object | None) -> Refusal:
        """What is said of a step that is not in the table."""
        return self._impossible(Nothing.NONE if thing is None else self._state(thing))

    def faults(self) -> list[str]:
        """What is wrong with the table itself: states that are never reached, verbs without a row, and rows that
        another hides. A test asks it of every life."""
        found = [
            f"{verb} has no row" for verb in self._kind(step.verb for step in self.steps) if verb not in self._verbs
        ]
        reached: set[S | None] = {None}
        while (
            more := {row.target for row in self.steps if row.source in reached and isinstance(row.target, StrEnum)}
            - reached
        ):
            reached |= more
        states = self._kind(step.target for step in self.steps if isinstance(step.target, StrEnum))
        found += [f"{state} is never reached" for state in states if state not in reached]
        for (source, verb), rows in self._rows.items():
            if any(row.when is None for row in rows[:-1]):
                found.append(f"{verb} from {source} has a row that is never taken")
        return found

    @staticmethod
    def _kind(words: Iterable[Any]) -> list[Any]:
        """All words of the vocabulary that the given ones are from."""
        vocabulary: Any = next((type(word) for word in words), ())
        return list(vocabulary)
