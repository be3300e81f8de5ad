"""What an operator asks of a running hub: is it ready, what does it do, and does it say so to nobody else."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from http_make import Seeded, Station, running
from prometheus_client.parser import text_string_to_metric_families

from wego.core.audit import keyring
from wego.metrics import ROUTES, Board, Observed, route_of
from wego.readiness import Readiness

DUE = "insert into procrastinate_jobs (queue_name, task_name, scheduled_at) values ('q', 't', now() %s)"
TOKEN = "a long token of the operator"


@pytest.fixture
async def fresh(seeded: Seeded) -> AsyncIterator[Station]:
    """A hub with a token for its figures, on a database of its own, in a folder of its own."""
    with seeded.clone() as url:
        async with running(seeded, url, metrics_token=TOKEN) as station:
            yield station


async def checks(station: Station, hours: int = 0) -> tuple[int, str, dict[str, str]]:
    readiness = station.app.state.readiness = Readiness(station.hub)  # a fresh look
    readiness.opened -= hours * 3600
    answer = await station.http.get("/health/ready")
    told = answer.json()
    return answer.status_code, told["status"], {each["name"]: each["status"] for each in told["checks"]}


async def test_a_hub_in_order_is_ready_and_tells_no_details(fresh: Station):
    status, word, each = await checks(fresh)
    assert (status, word) == (200, "ok")
    assert each == dict.fromkeys(("database", "disk", "keys", "log", "queue", "listeners"), "ok")
    answer = await fresh.http.get("/health/ready")
    assert set(answer.json()) == {"status", "checks"}
    assert not any(character.isdigit() for character in answer.text), "no figures for strangers"


@pytest.mark.parametrize("path", ["/health", "/health/live"])
async def test_life_is_told_without_asking_anybody(fresh: Station, path: str):
    await fresh.hub.database.close()
    answer = await fresh.http.get(path)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_a_database_that_takes_no_writes_is_not_ready(fresh: Station):
    name = fresh.url.partition("?")[0].rpartition("/")[2]
    fresh.sql(f"alter database {name} set default_transaction_read_only = on")
    fresh.hub.database.reads.forget()  # connections made before keep what they were told
    status, word, each = await checks(fresh)
    assert (status, word, each["database"]) == (503, "failing", "failing")
    assert each["log"] == "ok", "what is not known does not fail"


async def test_a_database_that_is_away_is_not_ready(fresh: Station):
    await fresh.hub.database.reads.close()
    status, _, each = await checks(fresh)
    assert (status, each["database"], each["disk"]) == (503, "failing", "ok")


async def test_a_full_disk_is_not_ready(fresh: Station, monkeypatch: pytest.MonkeyPatch):
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=100 * 2**20))
    status, word, each = await checks(fresh)
    assert (status, word, each["disk"]) == (503, "failing", "failing")


async def test_a_disk_that_cannot_be_written_is_not_ready(fresh: Station, tmp_path: Path):
    object.__setattr__(fresh.hub.settings, "home", tmp_path / "gone")
    status, _, each = await checks(fresh)
    assert (status, each["disk"]) == (503, "failing")


async def test_without_a_key_to_sign_with_it_is_not_ready(fresh: Station):
    await fresh.hub.keys.close()  # it would read them again
    fresh.hub.keys._keys.clear()
    status, _, each = await checks(fresh)
    assert (status, each["keys"]) == (503, "failing")


async def test_a_log_that_nobody_signs_is_not_ready(fresh: Station):
    assert (await checks(fresh))[2]["log"] == "ok", "young entries may wait for their checkpoint"
    fresh.sql("update audit_state set unsigned_since = now() - interval '1 hour'")
    assert (await checks(fresh))[2]["log"] == "ok", "who has just started has had no time to sign"
    status, _, each = await checks(fresh, hours=1)
    assert (status, each["log"]) == (503, "failing")


async def test_a_log_whose_key_is_damaged_is_not_ready(fresh: Station, tmp_path: Path):
    object.__setattr__(fresh.hub.settings, "home", tmp_path)
    keyring.key_file(tmp_path).parent.mkdir(parents=True, exist_ok=True)
    keyring.key_file(tmp_path).write_bytes(b"")
    status, _, each = await checks(fresh)
    assert (status, each["log"]) == (503, "failing")


async def test_a_job_that_nobody_does_is_told_but_keeps_no_reader_away(fresh: Station):
    fresh.sql(DUE % "- interval '1 hour'")
    fresh.sql("update audit_state set unsigned_since = null")
    status, word, each = await checks(fresh, hours=1)
    assert (status, word, each["queue"]) == (200, "degraded", "failing")


async def test_a_listener_that_has_failed_for_long_is_told_but_keeps_no_reader_away(fresh: Station):
    fresh.sql(
        "insert into audit_listener (name, position, attempts, failing_since) "
        "values ('test.failing', 0, 9, now() - interval '1 hour'), ('test.good', 0, 0, null)"
    )
    fresh.sql("update audit_state set unsigned_since = null")
    status, word, each = await checks(fresh, hours=1)
    assert (status, word, each["listeners"], each["queue"]) == (200, "degraded", "failing", "ok")


async def test_a_job_for_later_is_no_delay(fresh: Station):
    fresh.sql(DUE % "+ interval '1 day'")
    assert (await checks(fresh))[1] == "ok"


async def test_however_often_it_is_asked_the_database_is_asked_once(fresh: Station, monkeypatch: pytest.MonkeyPatch):
    asked: list[str] = []
    whole = type(fresh.hub.database.reads).fetchrow

    async def counting(pool: Any, sql: str, *values: Any) -> Any:
        asked.append(sql)
        return await whole(pool, sql, *values)

    monkeypatch.setattr(type(fresh.hub.database.reads), "fetchrow", counting)
    fresh.app.state.readiness = Readiness(fresh.hub)
    answers = await asyncio.gather(*(fresh.http.get("/health/ready") for _ in range(50)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(asked) == 1


# ── figures ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def figures(station: Station) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    answer = await station.http.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


@pytest.mark.parametrize(
    "sent", [{}, {"authorization": "Bearer wrong"}, {"authorization": f"Basic {TOKEN}"}, {"authorization": TOKEN},
             {"authorization": "Bearer "}, {"authorization": "Bearer \u00e9".encode("latin-1").decode("latin-1")}],
)  # fmt: skip
async def test_figures_are_for_who_has_the_token(fresh: Station, sent: dict[str, str]):
    headers = {name: value.encode("latin-1") for name, value in sent.items()}
    answer = await fresh.http.get("/metrics", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert "wego_" not in answer.text


async def test_without_a_token_there_is_no_such_address(standing: Station):
    assert (await standing.http.get("/metrics")).status_code == 404
    assert (await standing.http.get("/metrics", headers={"authorization": "Bearer "})).status_code == 404


async def test_figures_tell_what_an_operator_looks_for(fresh: Station):
    await fresh.data("{cities(first:2){nodes{slug}}}")
    await fresh.http.get("/nothing-here")
    found = await figures(fresh)
    assert found["wego_http_answers_total", (("route", "graphql"), ("status", "200"))] >= 1
    assert found["wego_http_answers_total", (("route", "other"), ("status", "404"))] == 1
    assert found["wego_http_seconds_count", (("route", "graphql"),)] >= 1
    names = {name for name, _ in found}
    assert names >= {
        "wego_processes", "wego_memory_bytes", "wego_documents", "wego_cache_bytes", "wego_pool_places",
        "wego_refused_total", "wego_jobs_due", "wego_jobs_oldest_seconds", "wego_log_entries",
        "wego_log_unsigned_entries", "wego_disk_free_bytes", "wego_database_away", "wego_check",
    }  # fmt: skip
    assert found["wego_database_away", ()] == 0
    assert found["wego_log_entries", ()] > 0


async def test_figures_are_told_while_the_database_is_away(fresh: Station):
    await fresh.hub.database.reads.close()
    fresh.app.state.readiness = Readiness(fresh.hub)
    found = await figures(fresh)
    assert found["wego_database_away", ()] == 1
    assert found["wego_check", (("name", "database"),)] == 0


async def test_nobody_can_make_the_figures_grow(fresh: Station):
    for each in range(40):
        await fresh.http.request(f"X{each}", f"/{each}/{each}", headers={"accept": f"x/{each}"})
    labels = {dict(key[1]).get("route") for key in await figures(fresh)}
    assert labels <= {*ROUTES, None}


@pytest.mark.parametrize(
    ("path", "route"),
    [("/", "page"), ("/ko/practices", "page"), ("/graphql", "graphql"),
     ("/oauth/token", "oauth"), ("/health/ready", "health"), ("", "page"),
     ("/.well-known/x", "well-known"), ("/static/app.css", "static"), ("/schema.graphql", "schema"), ("/a/b", "other")],
)  # fmt: skip
def test_each_path_has_a_route(path: str, route: str):
    assert route_of(path) == route


def test_the_figures_of_processes_that_ended_stay_in_the_sum(tmp_path: Path):
    """A counter never falls; what is only now is only of the living."""
    import orjson

    other = Observed()
    other.count("graphql", 200)
    other.took("graphql", 0.03)
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "999999999.json").write_bytes(orjson.dumps(other.snapshot({"full": 2}, {"connections": 7})))
    (tmp_path / "metrics" / "888888888.json").write_bytes(b'{"torn')
    own = Observed()
    own.count("graphql", 200)
    board = Board(tmp_path, own, dict, lambda: {"connections": 3.0}, several=True)
    from prometheus_client import CollectorRegistry, generate_latest

    from wego.metrics import Figures

    registry = CollectorRegistry()
    registry.register(Figures(board.all(), []))
    text = generate_latest(registry).decode()
    assert 'wego_http_answers_total{route="graphql",status="200"} 2.0' in text
    assert 'wego_refused_total{reason="full"} 2.0' in text
    assert "wego_connections 3.0" in text
    assert 'wego_http_seconds_bucket{le="0.05",route="graphql"} 1.0' in text
    assert 'wego_http_seconds_bucket{le="0.025",route="graphql"} 0.0' in text
    assert 'wego_http_seconds_bucket{le="+Inf",route="graphql"} 1.0' in text


# ── addresses and methods that are none ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("method", "path", "accept", "status", "kind"),
    [
        ("GET", "/nothing", "*/*", 404, "application/problem+json"),
        ("GET", "/nothing", "text/html,*/*;q=0.8", 404, "text/html"),
        ("GET", "/oauth/nothing", "*/*", 404, "application/json"),
        ("GET", "/oauth/token", "*/*", 405, "application/json"),
        ("DELETE", "/", "*/*", 405, "text/html"),
        ("POST", "/schema.graphql", "*/*", 405, "application/problem+json"),
        ("POST", "/health", "*/*", 405, "application/problem+json"),
        ("PATCH", "/.well-known/oauth-authorization-server", "*/*", 405, "application/problem+json"),
        ("HEAD", "/schema.graphql", "*/*", 200, "text/plain"),
        ("HEAD", "/health/ready", "*/*", 200, "application/json"),
    ],
)
async def test_each_route_refuses_in_its_own_form(
    standing: Station, method: str, path: str, accept: str, status: int, kind: str
):
    answer = await standing.http.request(method, path, headers={"accept": accept})
    assert answer.status_code == status
    assert answer.headers["content-type"].partition(";")[0] == kind
    assert answer.headers["x-content-type-options"] == "nosniff"
    if status == 405:
        assert answer.headers["allow"]
    if kind == "application/problem+json":
        assert answer.json()["status"] == status
