"""`wego practices …` at a terminal."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from wego.cli.practices import app
from wego.core.db import Database

Run = Callable[..., Awaitable[Any]]
FACTS = 'visibility = "public"\n[[sdgs]]\ngoal = 11\n'


@pytest.fixture
def run(demo: Database, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `wego practices` in a thread of its own; the JSON that it prints, or the exit code and the words."""
    monkeypatch.setenv("WEGO_DATABASE_URL", demo.url)

    async def invoke(*words: str, fails: int = 0) -> Any:
        arguments = list(words) if fails else [*words, "--json"]
        result = await asyncio.to_thread(CliRunner().invoke, app, arguments)
        assert result.exit_code == fails, result.output
        return result.output if fails else json.loads(result.stdout)

    return invoke


async def test_an_operator_reads_practices(run: Run) -> None:
    assert len(await run("list", "--limit", "100")) == 24
    assert {row["slug"] for row in await run("list", "--status", "draft")} == {
        "mayor-for-a-day",
        "eurasian-regional-office",
    }
    assert {row["city"] for row in await run("list", "--city", "barcelona")} == {"barcelona"}
    assert (await run("show", "seoul-wiki", "--locale", "en"))["title"].startswith("Seoul Wiki")
    assert [(row["locale"], row["stale"]) for row in await run("status", "mobile-seoul")] == [("en", 1)]
    assert len(await run("history", "open-host-bidding")) == 2
    assert "NOT_FOUND" in await run("show", "atlantis", fails=1)
    assert "NOT_FOUND" in await run("show", "oasis", "--locale", "sw", fails=1)


async def test_a_practice_goes_from_a_file_to_publication(run: Run, tmp_path: Path) -> None:
    words = (await asyncio.to_thread(CliRunner().invoke, app, ["show", "seoul-wiki", "--locale", "en"])).stdout
    original, facts, wrong = tmp_path / "en.md", tmp_path / "practice.toml", tmp_path / "wrong.md"
    original.write_text(words.replace("# Seoul Wiki", "# City Wiki", 1), "utf-8")
    facts.write_text(FACTS, "utf-8")
    wrong.write_text("no title", "utf-8")
    made = await run("draft", str(original), "--city", "busan", "--locale", "en", "--facts", str(facts))
    slug = made["slug"]
    assert slug.startswith("city-wiki")
    assert "must begin" in await run("draft", str(wrong), "--city", "busan", "--locale", "en", fails=1)
    done = await run("translate", slug, str(original), "--locale", "sw", "--origin", "machine")
    assert [(row["locale"], row["percent"], row["origin"]) for row in done] == [("sw", 100, "machine")]
    assert (await run("submit", slug))["status"] == "submitted"
    assert (await run("assign-reviewer", slug, "cio@seoul.demo"))["status"] == "under_review"
    assert (await run("request-changes", slug, "More.", "--as", "cio@seoul.demo"))["status"] == "changes_requested"
    assert (await run("revise", slug, str(original), "--minor"))["status"] == "changes_requested"
    await run("submit", slug)
    assert "CONFLICT" in await run("accept", slug, "--as", "cio@seoul.demo", "--conflict", "Mine.", fails=1)
    assert (await run("accept", slug, "--as", "cio@seoul.demo"))["status"] == "accepted"
    assert (await run("publish", slug))["status"] == "published"
    assert "CONFLICT" in await run("release", slug, "--locale", "sw", fails=1)  # nothing waits
    assert (await run("archive", slug, "--reason", "Ended."))["status"] == "archived"


async def test_a_draft_is_renamed_withdrawn_and_restored_and_another_deleted(run: Run, tmp_path: Path) -> None:
    words = (await asyncio.to_thread(CliRunner().invoke, app, ["show", "seoul-wiki", "--locale", "en"])).stdout
    original, facts = tmp_path / "en.md", tmp_path / "practice.toml"
    original.write_text(words.replace("# Seoul Wiki", "# City Wiki", 1), "utf-8")
    facts.write_text(FACTS, "utf-8")
    given = ("draft", str(original), "--city", "busan", "--locale", "en")
    first = (await run(*given, "--slug", "first"))["slug"]
    said = await run("submit", first, fails=1)
    assert "INVALID (sdgs): Name at least one Sustainable Development Goal." in said
    assert (await run("delete", first, "--yes"))["deleted"] == "first"
    assert "NOT_FOUND" in await run("show", first, fails=1)
    await run(*given, "--facts", str(facts), "--slug", "second")
    assert (await run("rename", "second", "third"))["slug"] == "third"
    assert (await run("submit", "second"))["slug"] == "third"
    assert (await run("withdraw", "third"))["status"] == "draft"
    assert "handed in before" in await run("delete", "third", "--yes", fails=1)
    await run("submit", "third")
    await run("publish", "third")
    await run("archive", "third", "--reason", "Ended.")
    assert (await run("restore", "third"))["status"] == "published"
