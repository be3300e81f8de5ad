"""The table: figure, target, held or not."""

from __future__ import annotations

from dataclasses import dataclass, field

from benchmarks.abuse.trial import Trial
from benchmarks.abuse.witnesses import Times

WORKER_MB, BACKEND_MB = 60.0, 100.0
SHOWN = ("reader", "health", "token", "officer")
LIMITS = {"reader": "p99 < 100 ms", "health": "p99 < 50 ms", "token": "p99 < 200 ms", "officer": "p99 < 1 s"}


@dataclass
class Results:
    """All trials of a run, and the memory before and after them."""

    workers: dict[int, float]
    backends: dict[int, float]
    smoke: bool = False
    trials: list[Trial] = field(default_factory=list)
    workers_after: dict[int, float] = field(default_factory=dict)
    backends_after: dict[int, float] = field(default_factory=dict)
    dead: bool = False

    def add(self, trial: Trial) -> None:
        self.trials.append(trial)

    @property
    def worker_growth(self) -> float:
        grown = [size - self.workers.get(pid, size) for pid, size in self.workers_after.items()]
        return max(grown, default=0.0)

    @property
    def backend_most(self) -> float:
        """A backend that is new began with nothing, so the whole of what is its own counts."""
        return max(self.backends_after.values(), default=0.0)

    @property
    def same_workers(self) -> bool:
        return self.workers.keys() == self.workers_after.keys()

    @property
    def kept_little(self) -> bool:
        return self.worker_growth <= WORKER_MB and self.backend_most <= BACKEND_MB and self.same_workers

    @property
    def held(self) -> bool:
        """The short form looks whether the hub lives, keeps little and never fails; its times say little."""
        trials = [each for each in self.trials if (each.broken if self.smoke else not each.held)]
        return not self.dead and self.kept_little and not trials


def head() -> str:
    titles = ("attack", "reader p50/p99", "health", "token", "officer", "worker", "backend", "cpu", "answers", "held")
    line = "{:24} {:>15} {:>8} {:>8} {:>8} {:>8} {:>8} {:>5}  {:40} {}".format(*titles)
    limits = "{:24} {:>15} {:>8} {:>8} {:>8} {:>8} {:>8} {:>5}".format(
        "target (p99, ms; MB)", "< 100", "< 50", "< 200", "< 1000", "< 60", "< 100", ""
    )
    return f"{line}\n{limits}\n{'-' * 150}"


def line(trial: Trial) -> str:
    """One row."""
    reader = trial.times["reader"]
    cells = [f"{_ms(reader, 0.5)}/{_ms(reader, 0.99)}", *(_ms(trial.times[name], 0.99) for name in SHOWN[1:])]
    answers = " ".join(f"{kind}:{count}" for kind, count in trial.seen.most_common(5))
    missed = trial.missed()
    verdict = "held" if not missed else f"MISSED {', '.join(missed)[:160]}"
    wrong = next((f"  [{each[:90]}]" for times in trial.times.values() for each in times.wrong[:1]), "")
    return "{:24} {:>15} {:>8} {:>8} {:>8} {:>+8.1f} {:>+8.1f} {:>5.2f}  {:40} {}{}".format(
        trial.name, *cells, trial.grown, trial.backend, trial.busy, answers[:60], verdict, wrong
    )


def _ms(times: Times, share: float) -> str:
    return f"{times.at(share):.0f}" + ("!" if times.wrong and share > 0.9 else "")


def end(results: Results) -> str:
    """The rows of the whole run."""
    rows = [
        ("a worker, more than at its start", f"{results.worker_growth:+.1f} MB", f"< {WORKER_MB:.0f} MB",
         results.worker_growth <= WORKER_MB),
        ("the largest backend's own memory", f"{results.backend_most:.1f} MB", f"< {BACKEND_MB:.0f} MB",
         results.backend_most <= BACKEND_MB),
        ("the workers of the start still live", str(results.same_workers).lower(), "true", results.same_workers),
    ]  # fmt: skip
    for name in SHOWN:
        every = Times()
        for trial in results.trials:
            every.extend(trial.times[name])
        missed = sum(name in trial.missed() for trial in results.trials)
        figure = f"p50 {every.at(0.5):.1f}, p99 {every.at(0.99):.1f} ms, {len(every.wrong)} wrong of {_count(every)}"
        rows.append((f"{name}, over all attacks", figure, LIMITS[name], missed == 0))
    held = sum(trial.held for trial in results.trials)
    rows.append(
        ("trials in which every target held", f"{held} of {len(results.trials)}", "all", held == len(results.trials))
    )
    table = "\n".join(
        f"{what:38} {figure:52} {limit:14} {'held' if good else 'MISSED'}" for what, figure, limit, good in rows
    )
    return f"\n{table}\n\n{'All that is asked of this run held.' if results.held else 'Not everything held.'}"


def _count(times: Times) -> int:
    return len(times.took) + len(times.wrong)
