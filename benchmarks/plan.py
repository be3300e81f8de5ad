"""How much of everything a run of the benchmarks does, and what it found."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median

from benchmarks import load


@dataclass(frozen=True)
class Plan:
    """How much of everything a run does."""

    practices: int
    slugs: int
    rounds: int
    seconds: float
    concurrency: tuple[int, ...]
    main: int  # the concurrency of the targets, measured for everybody
    workers: tuple[int, ...]
    short: bool = False  # leave out what teaches nothing about right answers


FULL = Plan(50_000, 200, 5, 2.0, (1, 16, 64), 16, (1, 2))
SMOKE = Plan(300, 5, 1, 1.0, (4,), 4, (1,), short=True)


@dataclass
class Results:
    """Everything that was measured, by (workers, concurrency, contest, entrant)."""

    shots: dict[tuple[int, int, str, str], list[load.Shot]] = field(default_factory=dict)
    memory: dict[tuple[int, str], float] = field(default_factory=dict)
    starts: dict[tuple[int, str], float] = field(default_factory=dict)
    sizes: dict[tuple[str, str], float] = field(default_factory=dict)
    right: dict[str, list[object]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)

    def rate(self, workers: int, concurrency: int, contest: str, entrant: str) -> float | None:
        shots = self.shots.get((workers, concurrency, contest, entrant))
        return median(shot.rate for shot in shots) if shots else None
