"""What `/metrics` tells (Prometheus text format), counted over all server processes of a home.

The path of a request only adds to plain dicts and lists: a tenth of what a counter of the library costs, which locks
and, over several processes, writes to a mapped file each time. Where there are several, each writes its figures
to `<home>/metrics/<pid>.json` once a second; whoever is asked adds up the files. Counters of processes that ended stay
in the sum, their gauges do not. Labels come from closed sets, so nobody can make the figures grow.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from i18n.language.locales import LOCALES

FOLDER = "metrics"  # in the home folder
EVERY = 1.0  # seconds
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
ROUTES = ("graphql", "oauth", "well-known", "health", "metrics", "static", "schema", "page", "other")
_BY_FIRST = {
    "graphql": "graphql", "oauth": "oauth", ".well-known": "well-known", "health": "health", "metrics": "metrics",
    "static": "static", "schema.graphql": "schema", "": "page", **dict.fromkeys(LOCALES, "page"),
}  # fmt: skip

Gauges = Mapping[str, float]

WORDS = {
    "connections": "Open connections.",
    "connection_addresses": "Addresses that hold connections.",
    "request_body_bytes": "Bytes of request bodies that are not answered yet.",
    "documents": "Checked GraphQL documents in memory.",
    "cache_bytes": "Bytes in all caches of the process.",
    "cache_answers": "Public answers in memory.",
    "memory_bytes": "Resident memory.",
}


def route_of(path: str) -> str:
    """The route of a path, as the label of its figures."""
    return _BY_FIRST.get(path[1:].partition("/")[0], "other")


class Observed:
    """What one process counts. Used from its event loop alone, so nothing is locked."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, int], int] = {}
        self.seconds: dict[str, list[float]] = {route: [0.0] * (len(BUCKETS) + 2) for route in ROUTES}

    def count(self, route: str, status: int) -> None:
        """One answer."""
        key = route, status
        self.answers[key] = self.answers.get(key, 0) + 1

    def count_graphql(self, status: int) -> None:
        self.count("graphql", status)

    def took(self, route: str, seconds: float) -> None:
        """How long one answer took: the last two places are those beyond all buckets, and the sum."""
        places = self.seconds[route]
        places[bisect_left(BUCKETS, seconds)] += 1
        places[-1] += seconds

    def snapshot(self, refused: Mapping[str, int], gauges: Gauges) -> dict[str, Any]:
        return {
            "answers": [[route, status, count] for (route, status), count in self.answers.items()],
            "seconds": self.seconds,
            "refused": dict(refused),
            "gauges": dict(gauges),
        }


class Figures(Collector):
    """The figures of all processes, as the library writes them."""

    def __init__(self, snapshots: list[dict[str, Any]], shared: Iterable[Metric]) -> None:
        self._snapshots, self._shared = snapshots, shared

    def collect(self) -> Iterator[Metric]:
        yield self._answers()
        yield self._durations()
        yield self._refused()
        yield from self._gauges()
        yield from self._shared

    def _answers(self) -> Metric:
        sums: dict[tuple[str, int], int] = {}
        for snapshot in self._snapshots:
            for route, status, count in snapshot["answers"]:
                sums[route, status] = sums.get((route, status), 0) + count
        family = CounterMetricFamily("wego_http_answers", "Answers.", labels=["route", "status"])
        for (route, status), count in sorted(sums.items()):
            family.add_metric([route, str(status)], count)
        return family

    def _durations(self) -> Metric:
        family = HistogramMetricFamily("wego_http_seconds", "How long answers took.", labels=["route"])
        for route in ROUTES:
            places = [sum(column) for column in zip(*(each["seconds"][route] for each in self._snapshots), strict=True)]
            if not any(places):
                continue
            so_far, buckets = 0.0, []
            for bound, count in zip([*map(str, BUCKETS), "+Inf"], places, strict=False):
                so_far += count
                buckets.append((bound, so_far))
            family.add_metric([route], buckets, places[-1])
        return family

    def _refused(self) -> Metric:
        words = "Connections and requests that were refused by the limits of the server and the rates."
        family = CounterMetricFamily("wego_refused", words, labels=["reason"])
        reasons = {reason for snapshot in self._snapshots for reason in snapshot["refused"]}
        for reason in sorted(reasons):
            family.add_metric([reason], sum(each["refused"].get(reason, 0) for each in self._snapshots))
        return family

    def _gauges(self) -> Iterator[Metric]:
        living = [snapshot["gauges"] for snapshot in self._snapshots if snapshot.get("alive", True)]
        yield GaugeMetricFamily("wego_processes", "Server processes.", value=len(living))
        places = GaugeMetricFamily(
            "wego_pool_places", "Places in the pools of database connections.", labels=["pool", "state"]
        )
        beside = GaugeMetricFamily("wego_work", "Work that runs or waits beside the event loop.", labels=["kind"])
        for name in sorted({name for gauges in living for name in gauges}):
            total = sum(gauges.get(name, 0.0) for gauges in living)
            kind, _, rest = name.partition(":")
            if kind == "pool":
                places.add_metric(rest.split(":"), total)
            elif kind == "work":
                beside.add_metric([rest], total)
            else:
                yield GaugeMetricFamily(f"wego_{name}", WORDS.get(name, name), value=total)
        yield places
        yield beside


class Board:
    """This process's figures and those of the others."""

    def __init__(
        self, home: Path, observed: Observed, refused: Callable[[], Mapping[str, int]],
        gauges: Callable[[], Gauges], *, several: bool,
    ) -> None:  # fmt: skip
        self._folder = home / FOLDER if several else None
        self._observed, self._refused, self._gauges = observed, refused, gauges

    def own(self) -> dict[str, Any]:
        return self._observed.snapshot(self._refused(), self._gauges())

    def all(self) -> list[dict[str, Any]]:
        """Reads files: run it in a thread."""
        return [self.own(), *(_others(self._folder) if self._folder else ())]

    async def write_for_ever(self) -> None:
        """Tell the others once a second; nothing to do for a process that is alone."""
        if self._folder is None:
            return
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{os.getpid()}.json"
        while True:
            with contextlib.suppress(OSError):  # a full disk must not end the counting
                await asyncio.to_thread(_write, path, orjson.dumps(self.own()))
            await asyncio.sleep(EVERY)


def _write(path: Path, text: bytes) -> None:
    beside = path.with_suffix(".new")
    beside.write_bytes(text)
    beside.replace(path)


def _others(folder: Path) -> Iterator[dict[str, Any]]:
    for path in folder.glob("*.json"):
        if path.stem == str(os.getpid()):
            continue
        with contextlib.suppress(OSError, ValueError):
            told: dict[str, Any] = orjson.loads(path.read_bytes())
            told["alive"] = Path(f"/proc/{path.stem}").exists() if Path("/proc/self").exists() else True
            yield told


def fresh_folder(home: Path) -> None:
    """Forget the figures of an earlier run."""
    for old in (home / FOLDER).glob("*"):  # also what a process was writing when it was killed
        old.unlink(missing_ok=True)


def resident_bytes() -> float:
    """Resident memory of this process; 0 where the system does not tell."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        return float(int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
    return 0.0
