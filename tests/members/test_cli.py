"""`wego members …` at a terminal."""

from __future__ import annotations

import asyncio
import csv
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col
from typer.testing import CliRunner

from members.demo.forms import signed_form
from members.people import people
from wego.cli.acting import cell
from wego.cli.members import app
from wego.core.db import Database
from wego.core.ids import global_id
from wego.core.models import AuditEntry

Run = Callable[..., Awaitable[Any]]


@pytest.fixture
def run(demo: Database, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `wego members` in a thread of its own; the JSON that it prints, or the exit code and the words."""
    monkeypatch.setenv("WEGO_DATABASE_URL", demo.url)

    async def invoke(*words: str, fails: int = 0) -> Any:
        arguments = list(words) if fails else [*words, "--json"]
        result = await asyncio.to_thread(CliRunner().invoke, app, arguments)
        assert result.exit_code == fails, result.output
        return result.output if fails else json.loads(result.stdout)

    return invoke


async def test_an_operator_reads_members_and_applications(run: Run) -> None:
    listed = await run("list", "--status", "associate")
    assert {"shiraz", "goyang"} <= {row["organisation"] for row in listed}
    assert {row["status"] for row in listed} == {"associate"}
    assert [row["organisation"] for row in await run("list", "--country", "UA")] == ["kyiv", "lviv"]
    seoul = await run("show", "seoul")
    assert (seoul["endonym"], seoul["status"], seoul["people"]) == ("서울", "full", 4)
    waiting = {row["organisation"]: row for row in await run("applications")}
    assert waiting["beira"]["missing"] == ["signed_form", "signatory"]
    assert waiting["lviv"]["missing"] == []
    assert {row["role"] for row in await run("people")} == {"officer", "secretariat_editor", "auditor"}


@pytest.mark.parametrize(
    ("environment", "status", "country", "role", "refused"),
    [
        ({"LANG": "C"}, "full member", "South Korea", "officer of the secretariat", "This must not be empty."),
        ({"LANG": "ko_KR.UTF-8"}, "정회원", "대한민국", "사무국 담당관", "비워 둘 수 없습니다"),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "fr_CA"}, "membre de plein droit", "Corée du Sud", "agent", "ne doit pas"),
        ({"LANG": "en_GB", "LANGUAGE": "nds:pt_BR:ja"}, "membro pleno", "Coreia do Sul", "responsável", "não pode"),
    ],
)
async def test_people_read_words_of_their_language_and_no_codes(
    demo: Database, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], status: str, country: str, role: str,
    refused: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("WEGO_DATABASE_URL", demo.url)
    monkeypatch.setenv("COLUMNS", "300")
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.setenv(name, environment.get(name, ""))

    async def printed(*words: str) -> str:
        return (await asyncio.to_thread(CliRunner().invoke, app, list(words))).output

    seoul = await printed("show", "seoul")
    assert f"status: {status}\n" in seoul
    assert f"country: {country}\n" in seoul
    assert role in await printed("people")
    assert "east-asia" not in seoul
    assert refused in await printed("suspend", "seoul", "--reason", " ")
    applications = await printed("applications")
    assert "signed_form" not in applications
    assert "under_check" not in applications


async def test_an_operator_decides_and_the_log_says_so(run: Run, demo: Database) -> None:
    assert (await run("check", "lviv"))["status"] == "under_check"
    assert (await run("request-changes", "lviv", "--item", "contact", "--note", "Who?"))["status"] == (
        "changes_requested"
    )
    assert (await run("submit", "lviv"))["status"] == "submitted"
    assert (await run("accept", "lviv"))["status"] == "associate"
    admitted = await run("admit", "lviv", "goyang", "--reference", "Executive Committee 2026, item 4")
    assert {row["status"] for row in admitted} == {"full"}
    assert (await run("suspend", "lviv", "--reason", "Article 9."))["status"] == "suspended"
    assert (await run("reinstate", "lviv"))["status"] == "full"
    assert "ends_on" in await run("resign", "lviv", "--reason", "We leave.")
    steps = await run("timeline", "lviv")
    assert [step["to"] for step in steps][-4:] == ["full", "suspended", "full", "resigning"]
    assert steps[-3]["reason"] == "Article 9."
    async with demo.session() as db:
        query = select(AuditEntry).where(col(AuditEntry.actor) == "operator").order_by(col(AuditEntry.index))
        told = [entry.event for entry in (await db.execute(query)).scalars()]
    assert told[0] == "application.check_started"
    assert told[-1] == "member.resignation_received"


async def test_an_operator_invites_the_first_officer(run: Run) -> None:
    invited = await run("invite", "first@people.example", "--role", "officer", "--name", "First officer")
    joined = await run("join", invited["secret"])
    assert joined["role"] == "officer"
    assert (await run("assign", "first@people.example", "--role", "cio", "--city", "seoul"))["city"] == "seoul"
    assert (await run("revoke", "first@people.example", "--role", "cio", "--city", "seoul"))["role"] == "cio"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "atlantis"), "NOT_FOUND"),
        (("accept", "seoul"), "CONFLICT: The state of this membership is full"),
        (("admit", "seoul", "--reference", "x"), "CONFLICT"),
        (("suspend", "seoul", "--reason", " "), "INVALID (input.reason): This must not be empty."),
        (("suspend", "seoul", "--reason", "x", "--body", "secretariat"), "INVALID"),
        (("join", "guess"), "NOT_FOUND"),
        (("assign", "nobody@people.example", "--role", "cio", "--city", "seoul"), "wego members people"),
    ],
)
async def test_what_is_refused_ends_with_one_and_says_why(run: Run, words: tuple[str, ...], said: str) -> None:
    assert said in await run(*words, fails=1)


async def test_what_is_misspelt_ends_with_two(run: Run) -> None:
    assert "Invalid value" in await run("list", "--status", "nonsense", fails=2)
    assert "Missing option" in await run("suspend", "seoul", fails=2)


async def test_a_command_is_run_as_a_person_and_the_timeline_tells_who_decided(run: Run, demo: Database) -> None:
    officer, cio = "secretariat@wego.demo", "cio@seoul.demo"
    assert "NOT_ALLOWED" in await run("suspend", "seoul", "--reason", "No.", "--as", cio, fails=1)
    assert "Nobody here" in await run("check", "lviv", "--as", "nobody@nowhere.example", fails=1)
    await run("check", "lviv", "--as", officer)
    step = (await run("timeline", "lviv"))[-1]
    assert step["by"] == f"Officer of the WeGO Secretariat <{officer}>"
    told = (await run("history", "lviv", "--as", officer))[-1]
    assert (told["who"], told["as"], told["means"]) == (step["by"], "officer", "terminal")
    assert (told["what"], told["decided"]) == ("application check started", ["status: submitted → under_check"])
    async with demo.session() as db:
        entry = (await db.execute(select(AuditEntry).order_by(col(AuditEntry.index).desc()).limit(1))).scalar_one()
        person = await people.by_email(db, officer)
        assert person is not None
        assert entry.actor == step["actor"] == str(person.id)
    listed = next(row for row in await run("people") if row["email"] == officer)
    assert listed["id"] == global_id("Person", person.id), "the id of the API"


async def test_a_company_is_registered_and_applies_by_command(run: Run, tmp_path: Path) -> None:
    (tmp_path / "form.pdf").write_bytes(signed_form("Works", "Head"))
    facts = ("--kind", "company", "--country", "DE", "--region", "europe", "--language", "de", "--name", "en=Works")
    assert (await run("register", "works", *facts))["kind"] == "company"
    assert "CONFLICT" in await run("register", "werks", *facts[:-1], "en=WORKS!", fails=1)
    assert (await run("register", "works-2", *facts, "--insist"))["organisation"] == "works-2"
    given = ("--motivation", "To help.", "--contact-name", "Head", "--contact-email", "a@works.example")
    sent = ("--signatory", "authorised_representative", "--form", str(tmp_path / "form.pdf"))
    assert (await run("apply", "works", *given, *sent))["status"] == "application_draft"
    assert (await run("submit", "works"))["status"] == "submitted"
    seen = await run("application", "works", "--files", str(tmp_path / "sent"))
    assert (seen["kind"], seen["motivation"], seen["missing"]) == ("corporate", "To help.", [])
    assert (tmp_path / "sent" / "works-signed_form.pdf").read_bytes() == (tmp_path / "form.pdf").read_bytes()
    (admitted,) = await run("admit", "works", "--reference", "Executive Committee 2026")
    assert admitted["status"] == "corporate"
    assert "werks" in await run("show", "werks", fails=1), "what is not there is named"
    assert "works-2" in await run("application", "works-2", fails=1)


async def test_lists_are_printed_for_a_spreadsheet_and_no_cell_is_a_formula(run: Run, demo: Database) -> None:
    await run("suspend", "seoul", "--reason", "=1+1")
    for command in (("list",), ("timeline", "seoul"), ("applications",), ("people",), ("history", "seoul")):
        result = await asyncio.to_thread(CliRunner().invoke, app, [*command, "--csv"])
        assert result.exit_code == 0, result.output
        rows = list(csv.DictReader(result.stdout.splitlines()))
        assert rows
        assert not [cell for row in rows for cell in row.values() if cell and cell.startswith(("=", "+", "@"))]
    steps = await asyncio.to_thread(CliRunner().invoke, app, ["timeline", "seoul", "--csv"])
    assert "'=1+1" in steps.stdout
    assert [cell(value) for value in ("-1", -1, None, "a", ["x", "y"])] == ["'-1", -1, None, "a", "x, y"]
