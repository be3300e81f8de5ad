"""Many case studies for measuring, by COPY. Each says in its title and its sources that it was made for that.

They are whole: revisions, blocks, segments and the rows derived from them agree (`content.verify`), some
translations are missing so that readers fall back, and the same numbers make the same rows on every machine.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from i18n.content import markdown
from i18n.content.blocks import combined, text_hash
from practices.cases.facts import THEMES
from practices.demo.sample_words import BODIES, CITY_WORDS, HEADINGS, MARKS, SUMMARIES, TOPICS
from wego.core.db import Database
from wego.core.errors import Conflict

SECTIONS = ("situation_before", "objectives_and_strategy", "resources_narrative", "process", "results")
LOCALES = ("en", "ko", "fr")
PREFIX = "measuring-sample"
VARIANTS = 60  # different bodies of a section
CHUNK = 2_000
FIRST = datetime(2010, 9, 7, tzinfo=UTC)
LAST = datetime(2024, 12, 31, tzinfo=UTC)
SOURCES = orjson.dumps(
    [{"title": "Made by `wego demo --practices` for measuring; no statement about any city.", "url": None}]
).decode()

COLUMNS = {
    "content_document": ("id", "original_locale", "current_revision_id"),
    "content_revision": (
        "id", "document_id", "number", "minor", "author", "note", "facts", "created_at", "published_at",
        "members_from", "public_from",
    ),
    "content_block": ("revision_id", "position", "block_id", "section", "kind", "text", "hash"),
    "content_translation": ("id", "document_id", "locale", "status", "based_on_revision_id", "updated_at"),
    "content_segment": ("translation_id", "block_id", "source_hash", "text", "origin", "author", "updated_at"),
    "content_reading": ("document_id", "locale", "origin", "title", "title_hash", "summary", "summary_hash"),
    "content_section": (
        "document_id", "locale", "key", "position", "origin", "heading", "heading_hash", "body", "html", "body_hash",
    ),
    "practice": (
        "id", "slug", "city_id", "original_locale", "status", "visibility", "public_from", "title_hash",
        "summary_hash", "themes", "sdg_codes", "sdgs", "cofog", "sources", "level_of_activity", "stage", "launched_on",
        "licence", "created_at", "updated_at", "published_at", "sorted_at",
    ),
}  # fmt: skip

Rows = dict[str, list[tuple[Any, ...]]]
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Prose:
    """One body or heading, with what is computed of it."""

    text: str
    html: str
    hash: bytes
    row_hash: bytes


def prose(text: str, *, rendered: bool = True) -> Prose:
    digest = text_hash(text)
    return Prose(text, markdown.render(text) if rendered else "", digest, combined([digest]))


class Library:
    """Every body in every language, made once: the same variant says the same in each language."""

    def __init__(self) -> None:
        self.headings = {
            (locale, key): prose(HEADINGS[locale][place], rendered=False)
            for locale in LOCALES
            for place, key in enumerate(SECTIONS)
        }
        self.bodies: dict[tuple[str, str, int], Prose] = {}
        for locale in LOCALES:
            for place, key in enumerate(SECTIONS):
                for variant in range(VARIANTS):
                    self.bodies[locale, key, variant] = prose(_body(locale, place, variant))


def _body(locale: str, place: int, variant: int) -> str:
    """The sentences of the pool of a section, in the same order in every language."""
    dice = random.Random(place * 1_000 + variant)  # noqa: S311  # a sample, not a secret
    chosen = dice.sample(range(len(BODIES[locale][place])), len(BODIES[locale][place]))
    number = dice.randint(2, 90)
    return " ".join(BODIES[locale][place][each].format(number=number) for each in chosen)


def _key(number: int, kind: int, part: int, at: datetime) -> UUID:
    """A key in the shape of version 7, from the number alone; later samples sort after earlier ones."""
    milliseconds = int(at.timestamp() * 1000)
    low = (0b10 << 62) | (number << 24) | (kind << 16) | part
    return UUID(int=(milliseconds << 80) | (0x7000 << 64) | low)


async def fill(database: Database, count: int, progress: Progress | None = None) -> int:
    """Bring the samples up to `count`; how many were made. Needs cities that are members."""
    connection = await asyncpg.connect(database.url, timeout=30)
    try:
        present = await connection.fetchval("SELECT count(*) FROM practice WHERE slug LIKE $1", f"{PREFIX}-%")
        cities = await connection.fetch(
            "SELECT c.id, c.slug, n.locale, n.name FROM organisation c JOIN membership m ON m.organisation_id = c.id "
            "JOIN organisation_name n ON n.organisation_id = c.id AND n.locale IN ('en', 'ko', 'fr') "
            "WHERE m.status IN ('associate', 'full') ORDER BY c.slug, n.locale"
        )
        if not cities:
            raise Conflict("There is no member city to write for: load the demonstration first.")
        if present < count:
            async with connection.transaction():
                await _quick(connection)
                await _copy(connection, _named(cities), range(present, count), count, progress)
            await connection.execute("ANALYZE " + ", ".join(COLUMNS))
    finally:
        await connection.close()
    return int(max(count - present, 0))


def _named(rows: Sequence[Any]) -> list[tuple[UUID, dict[str, str]]]:
    names: dict[UUID, dict[str, str]] = defaultdict(dict)
    for row in rows:
        names[row["id"]][row["locale"]] = row["name"]
    return [(key, found) for key, found in names.items() if "en" in found]


async def _quick(connection: Any) -> None:
    """Leave out the checks of foreign keys where the account may: every row is made together with what it
    refers to."""
    try:
        async with connection.transaction():
            await connection.execute("SET LOCAL session_replication_role = replica")
    except asyncpg.InsufficientPrivilegeError:
        return


async def _copy(
    connection: Any,
    cities: Sequence[tuple[UUID, dict[str, str]]],
    numbers: range,
    count: int,
    progress: Progress | None,
) -> None:
    library, step = Library(), (LAST - FIRST) / max(count, 50_000)
    for start in range(numbers.start, numbers.stop, CHUNK):
        rows: Rows = {table: [] for table in COLUMNS}
        for number in range(start, min(start + CHUNK, numbers.stop)):
            _sample(rows, library, cities, number, FIRST + number * step)
        for table, records in rows.items():
            await connection.copy_records_to_table(table, records=records, columns=COLUMNS[table])
        if progress:
            progress(f"{min(start + CHUNK, numbers.stop)} of {count} practices")


def _sample(
    rows: Rows, library: Library, cities: Sequence[tuple[UUID, dict[str, str]]], number: int, at: datetime
) -> None:
    dice = random.Random(number)  # noqa: S311  # likewise
    city_id, names = dice.choice(cities)
    original = dice.choices(LOCALES, (6, 3, 1))[0]
    key, revision = _key(number, 0, 0, at), _key(number, 1, 0, at)
    topic, variants = dice.randrange(len(TOPICS["en"])), [dice.randrange(VARIANTS) for _ in SECTIONS]
    status = "published" if dice.random() < 0.96 else "draft"
    published = at + timedelta(days=30) if status == "published" else None
    short = {locale: _short(locale, topic, names, number, dice.randint(3, 60)) for locale in LOCALES}
    source = [*short[original], *_pieces(library, original, variants)]
    rows["content_document"].append((key, original, revision))
    blocks = [_key(number, 2, place, at) for place in range(len(source))]
    for place, (section, kind) in enumerate(_places()):
        rows["content_block"].append(
            (revision, place, blocks[place], section, kind, source[place].text, source[place].hash)
        )
    public = _practice(rows, dice, (key, number, city_id, original, status), (at, published), source)
    rows["content_revision"].append(
        (revision, key, 1, False, "sample", "", "{}", at, published, published, published if public else None)
    )
    _read(rows, key, original, source, source, "original")
    for place, locale in enumerate(LOCALES):
        # Every twelfth translation is missing; of others a part: title and summary alone.
        luck = dice.random()
        if locale == original or luck < 0.08:
            continue
        mine = [*short[locale], *(_pieces(library, locale, variants) if luck > 0.16 else ())]
        translation = _key(number, 3, place, at)
        rows["content_translation"].append((translation, key, locale, "published", revision, at))
        rows["content_segment"].extend(
            (translation, blocks[index], source[index].hash, each.text, "human", "sample", at)
            for index, each in enumerate(mine)
        )
        _read(rows, key, locale, mine, source, "human")


def _places() -> Iterator[tuple[str | None, str]]:
    yield None, "title"
    yield None, "summary"
    for key in SECTIONS:
        yield key, "heading"
        yield key, "body"


def _pieces(library: Library, locale: str, variants: Sequence[int]) -> Iterator[Prose]:
    for key, variant in zip(SECTIONS, variants, strict=True):
        yield library.headings[locale, key]
        yield library.bodies[locale, key, variant]


def _short(locale: str, topic: int, names: dict[str, str], number: int, figure: int) -> tuple[Prose, Prose]:
    city = names.get(locale) or names["en"]
    title = f"{TOPICS[locale][topic]} {MARKS[locale].format(number=number)}"
    summary = SUMMARIES[locale].format(topic=TOPICS[locale][topic], city=city, number=figure, word=CITY_WORDS[locale])
    return prose(title, rendered=False), prose(summary, rendered=False)


def _practice(
    rows: Rows, dice: random.Random, identity: tuple[Any, ...], times: tuple[datetime, datetime | None],
    source: Sequence[Prose],
) -> bool:  # fmt: skip
    """Write the practice itself; whether everybody may see it."""
    key, number, city_id, original, status = identity
    at, published = times
    visibility = dice.choices(("public", "members"), (94, 6))[0] if published else "private"
    goals = sorted(dice.sample(range(1, 18), dice.randint(1, 3)))
    sdgs = orjson.dumps([{"goal": goal, "target": None, "contribution": "main"} for goal in goals]).decode()
    rows["practice"].append(
        (
            key, f"{PREFIX}-{number:06}", city_id, original, status, visibility,
            published if visibility == "public" else None, source[0].row_hash, source[1].row_hash,
            dice.sample(THEMES, dice.randint(2, 3)), [str(goal) for goal in goals], sdgs, ["01.3"], SOURCES,
            dice.choice(("city", "city", "metropolitan", "neighbourhood")),
            dice.choice(("pilot", "implementing", "operating", "operating", "scaled")),
            at.date(), "CC-BY-4.0", at, published or at, published, published or at,
        )
    )  # fmt: skip
    return visibility == "public"


def _read(rows: Rows, key: UUID, locale: str, mine: Sequence[Prose], source: Sequence[Prose], origin: str) -> None:
    rows["content_reading"].append(
        (key, locale, origin, mine[0].text, source[0].row_hash, mine[1].text, source[1].row_hash)
    )
    for position, name in enumerate(SECTIONS):
        place = 2 + 2 * position
        if place >= len(mine):
            return
        head, body = mine[place], mine[place + 1]
        rows["content_section"].append(
            (
                key, locale, name, position, origin, head.text, source[place].row_hash, body.text, body.html,
                source[place + 1].row_hash,
            )
        )  # fmt: skip
