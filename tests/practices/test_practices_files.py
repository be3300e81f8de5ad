"""Case studies as Markdown files: every text comes back from its file, and what was spoiled in between is refused."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import random
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from practices_make import DRAFT, FACTS, SYSTEM, World, make_practice
from sqlalchemy import select, text
from sqlmodel import col
from typer.testing import CliRunner

from i18n.content.documents import Draft, Section
from practices.cases import files, overview, practices, proposals
from practices.cases.models import Practice, PracticeStatus
from practices.cases.narrative import BUDGETS
from practices.cases.practices import Change
from wego.cli.practices import app
from wego.core.db import Database, Session
from wego.core.errors import Invalid, Refusal
from wego.core.textfiles import decoded

FILE = "# Night Buses\n\nBuses at night.\n\n## process: How\n\nFirst.\n\n## results: What came\n\nMuch.\n"
PIECES = (
    "## results: x", "## foo", "\\## foo", "\\\\## bar", " ## a", "### results: b", "### c", "# d", "text", "", "~~~~",
    "# process: q", "###x", "   ##", "results: y", "- ## z", "> ## w", "##process: v", "#hash",
)  # fmt: skip
Run = Callable[..., Awaitable[Any]]


@pytest.fixture
def run(demo: Database, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `wego practices` in a thread of its own; what it said and what it printed."""
    monkeypatch.setenv("WEGO_DATABASE_URL", demo.url)

    async def invoke(*words: str, fails: int = 0) -> Any:
        result = await asyncio.to_thread(CliRunner().invoke, app, list(words))
        assert result.exit_code == fails, result.output
        return result

    return invoke


def refusals(content: str) -> list[Refusal]:
    with pytest.raises(Refusal) as refused:
        files.read(content, "a.md")
    return list(refused.value.each)


def lines(content: str) -> list[Any]:
    return [each.params.get("line") for each in refusals(content)]


async def state(database: Database) -> Any:
    """What an act would change: revisions, segments, entries of the log, and the rows of practices."""
    async with database.session() as db:
        return (
            await db.execute(
                text(
                    "SELECT (SELECT count(*) FROM content_revision), (SELECT count(*) FROM audit_entry),"
                    " (SELECT md5(string_agg(s::text, '' ORDER BY s::text)) FROM content_segment s),"
                    " (SELECT md5(string_agg(p::text, '' ORDER BY p::text)) FROM practice p)"
                )
            )
        ).one()


# ── the form ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_text_of_the_demonstration_comes_back_from_its_file() -> None:
    cases = files.demonstration()
    assert sum(len(case.texts) for case in cases) > 100
    for case in cases:
        for locale, draft in case.texts.items():
            assert files.parse(files.as_text(draft)) == draft, (case.slug, locale)


def test_texts_that_look_like_headings_come_back_from_their_file() -> None:
    chosen = random.Random(7)  # the same texts each time

    def body(most: int) -> str:
        return "\n".join(chosen.choice(PIECES) for _ in range(chosen.randint(1, most))).replace("~~~~", "~~~\na\n~~~")

    for _ in range(3_000):
        keys = chosen.sample(list(BUDGETS), 3)
        draft = files.trimmed(Draft("results: T", body(4) or "s", tuple(Section(key, "H", body(6)) for key in keys)))
        if draft.summary:
            assert files.parse(files.as_text(draft)) == draft, draft


@pytest.mark.parametrize(
    "spoiled",
    [
        "## …", "## Results", "##", "## results", "## results:", "## results What came", "## Results: What came",
        "##results: What came", " ## results: What came", "### results: What came", "# results: What came",
        "## results：What came", "## outcome: What came",
    ],
)  # fmt: skip
def test_what_is_no_heading_of_a_section_is_refused_by_its_line(spoiled: str) -> None:
    assert lines(FILE.replace("## results: What came", spoiled)) == [9]
    (refusal,) = refusals(FILE.replace("## results: What came", spoiled))
    assert (refusal.code, refusal.params["name"]) == ("INVALID", "a.md")
    assert "situation_before" in str(refusal.params["keys"])


def test_all_that_is_wrong_with_a_file_is_told_at_once() -> None:
    assert lines("Night Buses\n\n## Process\n\nA.\n\n## results: B\n\nC.\n\n## results: D\n\nE.") == [None, 3, 11]


def test_a_heading_inside_a_block_of_code_ends_no_section_silently() -> None:
    fenced = FILE.replace("First.", "```\n## a comment\n## results: no heading\n```")
    assert lines(fenced) == [9, 12]  # it is refused, and so is the section that then comes twice
    body = files.parse(fenced.replace("## results: no", "\\## results: no")).sections[0].body
    assert body == "```\n## a comment\n## results: no heading\n```"
    assert lines(FILE.replace("First.", "```\nnever ended")) == [10]
    assert files.parse(FILE.replace("First.", "```a`b`\n\n`````\nx\n```\n`````")).sections[1].key == "results"


def test_deeper_headings_and_quoted_lines_belong_to_the_text() -> None:
    draft = files.parse(FILE.replace("First.", "### Deeper\n\n\\## Flat\n\n# One\n\n\\\\## Two"))
    assert draft.sections[0].body == "### Deeper\n\n## Flat\n\n# One\n\n\\## Two"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_files_of_windows_are_read(encoding: str, end: str) -> None:
    content = FILE.replace("Much.", "많다.").replace("\n", end)
    raw = content.encode(encoding)
    read = decoded(b"\xfe\xff" + raw if encoding == "utf-16-be" else raw)
    assert files.parse(read) == files.parse(FILE.replace("Much.", "많다."))


def test_a_file_in_another_encoding_is_refused_by_its_line() -> None:
    for raw in (FILE.replace("Much.", "많다.").encode("cp949"), "\ufeff".encode("utf-16-le") + b"\x00\xd8a\x00"):
        with pytest.raises(Invalid) as refused:
            decoded(raw)
        assert refused.value.params["line"] in {1, 11}


def test_a_fact_of_another_name_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        files.facts_in({"theme": ["2017.open-city"], "sdg": [], "licence": "CC0-1.0"})
    assert [each.path for each in refused.value.each] == [("sdg",), ("theme",)]


# ── at a terminal ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_every_practice_written_back_as_it_was_exported_changes_nothing(
    run: Run, demo: Database, tmp_path: Path
) -> None:
    before, file = await state(demo), tmp_path / "a.md"
    async with demo.session() as db:
        keys = (await db.execute(select(col(Practice.id)))).scalars().all()
        assert len(keys) == 24
        for key in keys:
            exported = files.as_text(await overview.reading(db, key)).replace("\n", "\r\n")
            sent = files.read(decoded(exported.encode("utf-8-sig")))
            assert (await proposals.revision(db, SYSTEM, key, sent, {})).empty
    file.write_text((await run("show", "seoul-wiki")).stdout.replace("\n", "\r\n"), "utf-8-sig", newline="")
    said = (await run("revise", "seoul-wiki", str(file), "--minor", "--yes")).stderr
    assert "Nothing changes." in said
    assert await state(demo) == before


async def test_what_changes_nothing_makes_no_version_and_no_entry(db: Session, world: World) -> None:
    made = await make_practice(world, PracticeStatus.PUBLISHED)
    before = (await practices.versions(db, SYSTEM, made.id), await entries(db))
    same = Change(title=DRAFT.title, sections=DRAFT.sections[:2], note="Nothing.")
    assert (await practices.revise(db, world["cio"], made.id, same, FACTS)).practice.id == made.id
    assert (await practices.versions(db, SYSTEM, made.id), await entries(db)) == before
    await practices.revise(db, world["cio"], made.id, Change(), {"themes": []})
    assert len(await practices.versions(db, SYSTEM, made.id)) == 2


async def entries(db: Session) -> int:
    return (await db.execute(text("SELECT count(*) FROM audit_entry"))).scalar_one()


async def test_a_translation_written_back_as_it_was_exported_changes_nothing(
    run: Run, demo: Database, tmp_path: Path
) -> None:
    before, file = await state(demo), tmp_path / "a.md"
    for slug, locale in (("seoul-wiki", "en"), ("oasis", "en"), ("decidim-participation", "fr")):
        file.write_text((await run("show", slug, "--locale", locale)).stdout, "utf-8")
        assert "Nothing changes." in (await run("translate", slug, str(file), "--locale", locale)).stderr
    assert await state(demo) == before
    # The English of this one is older than its original: to send it again says that it is right still.
    file.write_text((await run("show", "mobile-seoul", "--locale", "en")).stdout, "utf-8")
    said = await run("translate", "mobile-seoul", str(file), "--locale", "en", "--dry-run")
    assert "1 blocks are older than the original" in said.stderr
    assert await state(demo) == before
    await run("translate", "mobile-seoul", str(file), "--locale", "en")
    assert [row["stale"] for row in json.loads((await run("status", "mobile-seoul", "--json")).stdout)] == [0]


async def test_what_a_revision_would_change_is_shown_before_it_is_live(
    run: Run, demo: Database, tmp_path: Path
) -> None:
    before, file, facts = await state(demo), tmp_path / "a.md", tmp_path / "practice.toml"
    exported = (await run("show", "seoul-wiki")).stdout
    title = exported.partition("\n")[0]
    file.write_text(exported.replace(title, f"{title}!"), "utf-8")
    facts.write_bytes('\ufeff# facts\r\nstage = "scaled"\r\n'.encode())
    arguments = ("revise", "seoul-wiki", str(file), "--facts", str(facts))
    said = (await run(*arguments, "--dry-run")).stderr
    assert f"-{title}\n+{title}!\n" in said
    assert "stage: " in said
    assert "this is read at once" in said
    told = json.loads((await run(*arguments, "--dry-run", "--json")).stdout)
    assert (told["live"], told["empty"], told["after"]["title"]) == (True, False, f"{title[2:]}!")
    assert await state(demo) == before
    await run(*arguments, "--yes")
    assert len(json.loads((await run("history", "seoul-wiki", "--json")).stdout)) == 2


async def test_text_under_the_heading_of_another_section_is_refused_by_its_line(
    run: Run, demo: Database, tmp_path: Path
) -> None:
    before, file = await state(demo), tmp_path / "a.md"
    rows = (await run("show", "seoul-wiki")).stdout.split("\n")
    place = next(number for number, row in enumerate(rows) if row.startswith("## results: "))
    for spoiled, line in (
        (rows[:place] + rows[place + 1 :], place + 2),
        ([*rows[:place], "## …", *rows[place + 1 :]], place + 1),
    ):
        file.write_text("\n".join(spoiled), "utf-8")
        said = (await run("revise", "seoul-wiki", str(file), "--yes", fails=1)).stderr
        assert f"Line {line} of a.md" in said
    assert await state(demo) == before
    # Who says that the section goes means it.
    moved = "\n".join(rows[:place] + rows[place + 1 :])
    file.write_text(moved, "utf-8")
    said = (await run("revise", "seoul-wiki", str(file), "--remove", "results", "--dry-run")).stderr
    assert "-## results: " in said
    assert await state(demo) == before


async def test_sections_that_are_not_in_the_file_stay_and_are_named(run: Run, demo: Database, tmp_path: Path) -> None:
    file = tmp_path / "a.md"
    head = (await run("show", "seoul-wiki")).stdout.partition("\n## ")[0]
    file.write_text(head, "utf-8")
    before = await state(demo)
    said = (await run("revise", "seoul-wiki", str(file), "--yes")).stderr
    assert "Not in the file, and left as they are: situation_before" in said
    assert await state(demo) == before


async def test_at_a_terminal_it_is_asked(demo: Database, run: Run, tmp_path: Path) -> None:
    before, file = await state(demo), tmp_path / "a.md"
    file.write_text((await run("show", "seoul-wiki")).stdout.replace("# ", "# The ", 1), "utf-8")
    words = [sys.executable, "-c", "from wego.cli.practices import app; app()", "revise", "seoul-wiki", str(file)]
    environment = {**os.environ, "WEGO_DATABASE_URL": demo.url}
    for answer, code in ((b"n\n", 1), (b"y\n", 0)):
        ours, theirs = pty.openpty()
        asked = subprocess.Popen(words, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
        os.write(ours, answer)
        _, said = await asyncio.to_thread(asked.communicate)
        os.close(ours), os.close(theirs)
        assert (b"Is this right?" in said, asked.returncode) == (True, code), said
        assert (await state(demo) == before) is (code == 1)
