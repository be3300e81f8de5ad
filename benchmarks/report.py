"""What a run found, as Markdown: ratios first, then figures, then versions and what was not like for like."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median

import orjson

from benchmarks import load, servers
from benchmarks.contests import CACHED, FLOOR, HUB, PEER, STATIC, TOKEN
from benchmarks.data import Facts
from benchmarks.plan import Plan, Results

HERE = Path(__file__).parent
ORDER = (HUB, TOKEN, PEER, FLOOR, CACHED, STATIC)
CONTESTS = {
    "Q1": "list of 20 newest practices: title and summary by locale, city, themes",
    "Q2": "one practice whole with all translations (asked in turn for many practices)",
    "Q3": "20 cities with 5 practices each",
    "Q5": "`{ __typename }`",
}
TARGETS = (
    ("hub / PostGraphile", HUB, PEER, {"Q1": 2.5, "Q2": 2.5, "Q3": 2.0}),
    ("hub / hand-written", HUB, FLOOR, {"Q1": 0.85, "Q2": 0.85, "Q3": 0.85}),
    ("hub with its cache / static bytes", CACHED, STATIC, {"Q1": 0.6, "Q2": 0.6, "Q3": 0.6, "Q5": 0.6}),
    ("hub with a token / hub", TOKEN, HUB, {}),
)
UNLIKE = """
- The hub checks the actor, rate limits (switched off: one client would meet them) and media types, filters by the
  reader's rights and counts for `/metrics`; PostGraphile has no rights to ask here (its tables hold only what is
  public) and no limits; the hand-written endpoint asks for what is public, and has neither limits nor GraphQL.
- PostGraphile has tables of its own, copied from ours for its use: only public rows and only the columns asked for.
  The hub and the hand-written endpoint read the hub's own tables, which also hold drafts.
- The hub tells the language with each text (`LocalizedText`), PostGraphile once per reading: the hub's answers of Q1
  and Q3 are larger (see "bytes").
- In Q2 the hub and the hand-written endpoint pick the language of each section for the reader; PostGraphile reads the
  sections of the original.
- The hub's plans are generic by setting (`plan_cache_mode`); PostGraphile's statements are prepared with PostgreSQL's
  own choice, which was the faster one for it. `outputDataAsString` is on, the faster one as well.
- Load generator, servers and database share the processors of one machine. All servers of a phase are up during the
  whole phase; only one is asked at a time.
- The hub with a token sends a fresh proof (DPoP) with each request, signed before the run; its bodies are checked
  before, and by their size.
- The cache is asked the same few requests again and again: that is what it is for. Misses under writes are not
  measured.
"""


def write(plan: Plan, facts: Facts, results: Results, seconds: float) -> str:
    """The whole report."""
    parts = [
        "# Results of the benchmarks",
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {seconds / 60:.1f} minutes, on {_machine()}. Written by "
        f"`python -m benchmarks.run`: {plan.rounds} rounds of {plan.seconds:g} s, alternating; figures are medians, "
        "ratios the medians of the rounds' ratios. "
        f"Load: {_generator()}, on the same machine, over loopback.",
    ]
    if results.absent:
        parts.append("Not there: " + "; ".join(results.absent) + ".")
    if results.wrong:
        parts.append("**Wrong answers:**\n" + "\n".join(f"- {line}" for line in results.wrong[:50]))
    else:
        parts.append(
            "All contestants gave the same answers, compared as JSON before the load, during it (a second client, ten "
            "times a second) and by the bytes received."
        )
    parts += ["## Ratios of requests per second", _ratios(plan, results)]
    parts += ["## Figures", *_tables(plan, results)]
    parts += ["## Processes", _processes(plan, results)]
    parts += ["## Data and versions", _data(facts), _versions()]
    parts += ["## What was not like for like", UNLIKE.strip()]
    return "\n\n".join(parts) + "\n"


def _ratios(plan: Plan, results: Results) -> str:
    names = [name for name in CONTESTS if any(key[2] == name for key in results.shots)]
    rows = [["", "workers", "c", *names]]
    for title, ours, theirs, targets in TARGETS:
        for workers in plan.workers:
            for concurrency in plan.concurrency:
                cells = [_ratio(results, workers, concurrency, name, ours, theirs) for name in names]
                if any(cells):
                    wanted = workers == 1 and concurrency == plan.main
                    aims = [targets.get(name) if wanted else None for name in names]
                    marks = [_mark(cell, aim) for cell, aim in zip(cells, aims, strict=True)]
                    rows.append([title, str(workers), str(concurrency), *marks])
    tail = _tails(plan, results, names)
    return _table(rows) + ("\n\n" + tail if tail else "")


def _ratio(results: Results, workers: int, concurrency: int, name: str, ours: str, theirs: str) -> float | None:
    """The median of the rounds' ratios: the two of one round ran within seconds of each other, on the same machine as
    it was then."""
    a, b = (results.shots.get((workers, concurrency, name, each), []) for each in (ours, theirs))
    found = [mine.rate / other.rate for mine, other in zip(a, b, strict=True) if other.rate] if a and b else []
    return median(found) if found else None


def _mark(value: float | None, target: float | None) -> str:
    if value is None or target is None:
        return _figure(value)
    return f"**{value:.2f}** ({'reaches' if value >= target else 'misses'} {target:g})"


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _tails(plan: Plan, results: Results, names: list[str]) -> str:
    """The p99 of the hub beside the peer's, where the targets are."""
    said = []
    for name in names:
        ours = results.shots.get((1, plan.main, name, HUB))
        theirs = results.shots.get((1, plan.main, name, PEER))
        if ours and theirs:
            a, b = median(shot.p99 for shot in ours), median(shot.p99 for shot in theirs)
            said.append(f"{name} {a:.1f} ms against {b:.1f} ms ({'no worse' if a <= b else 'worse'})")
    return f"p99 of the hub against PostGraphile at c = {plan.main}, one worker: {'; '.join(said)}." if said else ""


def _tables(plan: Plan, results: Results) -> list[str]:
    found = []
    for workers in plan.workers:
        for name, what in CONTESTS.items():
            rows = [["", "bytes", *(f"c={each}: 1/s" for each in plan.concurrency)]]
            rows[0] += [f"c={each}: p50 / p99 / slowest ms" for each in plan.concurrency]
            for entrant in ORDER:
                shots = [results.shots.get((workers, each, name, entrant)) for each in plan.concurrency]
                if any(shots):
                    size = results.sizes.get((name, HUB if entrant == TOKEN else entrant))
                    rates = [f"{median(shot.rate for shot in each):,.0f}" if each else "" for each in shots]
                    times = [_times(each) if each else "" for each in shots]
                    rows.append([entrant, f"{size:,.0f}" if size else "", *rates, *times])
            if len(rows) > 1:
                plural = "s" if workers > 1 else ""
                found.append(f"### {name}, {workers} worker{plural}: {what}\n\n{_table(rows)}")
    return found


def _times(shots: list[load.Shot]) -> str:
    p50, p99, slowest = (median(getattr(shot, name) for shot in shots) for name in ("p50", "p99", "slowest"))
    return f"{p50:.2f} / {p99:.2f} / {slowest:.0f}"


def _processes(plan: Plan, results: Results) -> str:
    rows = [["", *(f"{workers} × memory of a worker (PSS, MB)" for workers in plan.workers),
             *(f"{workers} × from start to first answer (s)" for workers in plan.workers)]]  # fmt: skip
    for name in ORDER:
        if any((workers, name) in results.starts for workers in plan.workers):
            memory = [f"{results.memory.get((workers, name), 0):.0f}" for workers in plan.workers]
            starts = [f"{results.starts.get((workers, name), 0):.2f}" for workers in plan.workers]
            rows.append([name, *memory, *starts])
    return (
        f"{_table(rows)}\n\nMemory after the load; start on a database that was migrated and running. "
        "Static bytes come from the server of the hand-written endpoint."
    )


def _data(facts: Facts) -> str:
    sizes = "; ".join(f"{name}: {value}" for name, value in facts.sizes.items())
    settings = ", ".join(f"{name} = {value}" for name, value in facts.settings.items())
    return f"Data ({facts.seconds:.0f} s to make): {sizes}. PostgreSQL, the embedded one: {settings}."


def _versions() -> str:
    ours = ("fastapi", "uvicorn", "uvloop", "httptools", "strawberry-graphql", "graphql-core", "asyncpg", "orjson")
    found = [f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in ours)]
    node = servers.node()
    if node:
        said = subprocess.run([str(node), "--version"], capture_output=True, text=True, check=False).stdout.strip()
        found.append(f"Node {said}")
    for name in ("postgraphile", "grafast", "grafserv", "pg"):
        package = HERE / "node_modules" / name / "package.json"
        if package.is_file():
            found.append(f"{name} {orjson.loads(package.read_bytes())['version']}")
    return ", ".join(found) + "."


def _generator() -> str:
    if not load.has_wrk():
        return "the small client of benchmarks/load.py (slower than wrk: figures are not comparable with those of wrk)"
    said = subprocess.run(["wrk", "--version"], capture_output=True, text=True, check=False).stdout
    return " ".join(said.split()[:2])


def _machine() -> str:
    try:
        name = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    except OSError:
        name = None
    processor = name[1] if name else platform.processor() or platform.machine()
    system, busy = f"{platform.system()} {platform.release()}", os.getloadavg()[0]
    return f"{os.cpu_count()} × {processor} ({system}; load average at the end {busy:.1f})"


def _table(rows: list[list[str]]) -> str:
    head, *body = rows
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in body])
