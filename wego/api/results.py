"""What was found for the operations of a request, and what may be kept of it for the next that is the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wego.core.access import Actor
from wego.core.reads.plans import Plan, Prepared


@dataclass(frozen=True, slots=True)
class Result:
    """The answer to one operation: its JSON, its status when it stands alone, and what may be kept of it."""

    body: bytes
    status: int = 200
    prepared: Prepared | None = None
    is_public: bool = False  # a query's answer without errors


@dataclass(frozen=True, slots=True)
class Ready:
    """A request that came before: only its statements are left to run, for the very same actor."""

    parts: tuple[Prepared, ...]
    is_batch: bool
    actor: Actor

    @classmethod
    def of(cls, results: Sequence[Result], is_batch: bool, actor: Actor) -> Ready | None:
        """What is left of a request once everything about it is known; None when it has to be made anew each time."""
        parts = tuple(each.prepared for each in results if each.prepared is not None)
        return cls(parts, is_batch, actor) if len(parts) == len(results) else None

    @property
    def bytes(self) -> int:
        return 200 + sum(part.bytes for part in self.parts)

    def plans(self) -> list[Plan] | None:
        """Its plans; None when one of them is not kept any more."""
        plans = [plan for part in self.parts if (plan := part.plan()) is not None]
        return plans if len(plans) == len(self.parts) else None
