"""Words beside the log: they can be erased, the log stays provable, and nothing else can become a word or lose one.

Binding text: federation.md 5.7. What must not be possible comes first.
"""

from __future__ import annotations

from typing import Any

import orjson
import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from wego.core import audit
from wego.core.access import system
from wego.core.audit import Event, Subject, leaf_hash, verify
from wego.core.audit.entries import WordInFacts, word_hash
from wego.core.audit.words import Chosen, erase
from wego.core.db import Database
from wego.core.ids import new_id

from ..conftest import owner_url

ACTOR = system("test")
REASON = "Asked by telephone: +49 170 1234567, Frau Müller"


async def tell(database: Database, *reasons: str) -> None:
    async with database.session() as db:
        for reason in reasons:
            await audit.record(
                db, ACTOR, Event.MEMBER_SUSPENDED, "City", new_id(), words={"reason": reason, "reference": "EC 3"}
            )


async def faults(database: Database) -> list[tuple[int | None, str]]:
    async with database.session() as db:
        return [(fault.index, fault.what) for fault in (await verify(db)).faults]


def as_owner(database: Database, *statements: str) -> None:
    with psycopg.connect(owner_url(database.url), autocommit=True) as owner:
        owner.execute("set session_replication_role = replica")
        for statement in statements:
            owner.execute(statement)


@pytest.mark.parametrize(
    "fact",
    [
        "Frau Müller", "cio@seoul.example", "+491701234567", "01701234567", "2026-13-45x 1", "a\nb", "x" * 129, 1.5,
        ["ok", "not ok"], {"nested": {"deep": "two words"}}, {"Two Words": 1}, "see https://x.example/?q=1", "안녕",
        object(), 2**60, b"bytes", "-dash", "tel:0170 1234567",
    ],
)  # fmt: skip
async def test_a_word_among_the_facts_is_refused(database: Database, fact: Any) -> None:
    with pytest.raises(WordInFacts):
        async with database.session() as db:
            await audit.record(db, ACTOR, Event.CITY_UPDATED, Subject.CITY, new_id(), fact=fact)
    async with database.session() as db:
        assert (await db.execute(text("select count(*) from audit_entry"))).scalar_one() == 0


@pytest.mark.parametrize("words", [{"reason": "x" * 8_001}, {"Reason here": "x"}])
async def test_words_are_bounded_and_have_names(database: Database, words: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="word"):
        async with database.session() as db:
            await audit.record(db, ACTOR, Event.CITY_UPDATED, Subject.CITY, new_id(), words=words)


@pytest.mark.parametrize(
    "statement",
    ["delete from audit_word", "update audit_word set text = 'x'", "insert into audit_word values (0, 'x', '', 'x')"],
)
async def test_the_hub_itself_can_neither_erase_nor_change_words(database: Database, statement: str) -> None:
    await tell(database, REASON)
    with pytest.raises(DBAPIError, match="permission denied"):
        async with database.session() as db:
            await db.execute(text(statement))
    assert await faults(database) == []


async def test_no_entry_and_no_leaf_holds_the_word(database: Database) -> None:
    await tell(database, REASON)
    async with database.session() as db:
        row = (await db.execute(text("select e::text from audit_entry e"))).scalar_one()
        kept = (await db.execute(text("select field, salt, text from audit_word order by field"))).all()
        hashes = (await db.execute(text("select word_hashes from audit_entry"))).scalar_one()
    assert "Müller" not in row
    assert "1234567" not in row
    assert [(field, said) for field, _, said in kept] == [("reason", REASON), ("reference", "EC 3")]
    assert all(len(salt) == 32 for _, salt, _ in kept)
    assert hashes == {field: word_hash(salt, said) for field, salt, said in kept}


async def test_erased_words_leave_a_log_that_proves_itself_and_says_so(database: Database) -> None:
    await tell(database, REASON, "Another reason")
    owner = await Database(owner_url(database.url)).open()
    async with owner.session() as db:
        assert await erase(db, ACTOR, Chosen(index=0), "gdpr-17") == [(0, ["reason", "reference"])]
    async with owner.session() as db:
        assert await erase(db, ACTOR, Chosen(index=0), "gdpr-17") == []
    await owner.close()
    assert await faults(database) == []
    async with database.session() as db:
        left = (await db.execute(text("select entry, text from audit_word where field = 'reason'"))).all()
        told = (await db.execute(text("select event, facts from audit_entry where index = 2"))).one()
        assert (await verify(db)).erased == 2
    assert [tuple(each) for each in left] == [(1, "Another reason")]
    assert told.event == "words.erased"
    assert told.facts == {"entry": 0, "fields": ["reason", "reference"], "cause": "gdpr-17"}


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("delete from audit_word where entry = 1 and field = 'reason'", "the word reason is gone"),
        ("update audit_word set text = 'forged' where entry = 1", "is not the one that was hashed"),
        ("update audit_word set salt = '' where entry = 1", "is not the one that was hashed"),
        ("insert into audit_word values (1, 'more', '', 'x')", "the word more is not the one"),
        ("update audit_entry set word_hashes = '{}' where index = 1", "the entry is not the one that was hashed"),
        ("update audit_entry set word_hashes = '[1, 2]' where index = 1", "cannot be read"),
        ("update audit_entry set facts = '\"text\"' where index = 1", "the entry is not the one that was hashed"),
        ("update audit_entry set facts = '[[[]]]' where index = 1", "the entry is not the one that was hashed"),
        ("update audit_entry set facts = '1e4000'::numeric::text::jsonb where index = 1", "not the one that was"),
        ("update audit_entry set at = 'infinity' where index = 1", "the entry is not the one that was hashed"),
        ("update audit_entry set at = '4713-01-01 BC' where index = 1", "the entry is not the one that was hashed"),
        ("update audit_entry set version = 1 where index = 1", "the entry is not the one that was hashed"),
        ("update audit_entry set version = -3 where index = 1", "the entry is not the one that was hashed"),
        ("update audit_entry set event = 'key.rotated', subject_type = 'AuditKey' where index = 1", "does not say"),
        ("update audit_entry set index = -5 where index = 1", "missing"),
        ("update audit_state set frontier = '\\x00', root = '', size = -1", "size or root"),
    ],
)
async def test_rows_that_somebody_spoiled_are_told_and_end_nothing(database: Database, statement: str, said: str):
    await tell(database, "one", "two", "three")
    as_owner(database, statement)
    found = await faults(database)
    assert any(said in what for _, what in found), found


async def test_entries_of_the_first_form_are_still_proved_with_the_words_in_them(database: Database) -> None:
    """As migration 0001 to 0004 wrote them: the leaf has neither version nor words."""
    subject = str(new_id())
    leaf = (
        '{"actor":"operator","at":"2026-03-01T12:00:00.000000+00:00","event":"member.suspended",'
        '"facts":{"reason":"'
        + REASON
        + '","to":"suspended"},"index":0,"subject":{"id":"'
        + subject
        + '","type":"City"}}'
    )
    hashed = leaf_hash(leaf.encode()).hex()
    facts = orjson.dumps({"to": "suspended", "reason": REASON}).decode()
    as_owner(
        database,
        "insert into audit_entry (index, at, event, actor, subject_type, subject_id, facts, leaf_hash, version) "
        f"values (0, '2026-03-01T12:00:00Z', 'member.suspended', 'operator', 'City', '{subject}', '{facts}', "
        f"'\\x{hashed}', 1)",
        f"update audit_state set size = 1, root = '\\x{hashed}', frontier = '\\x{hashed}'",
    )
    assert await faults(database) == []
    await tell(database, "and on")
    assert await faults(database) == []
    as_owner(database, "update audit_entry set facts = facts - 'reason' where index = 0")
    assert (0, "the entry is not the one that was hashed") in await faults(database)


async def test_the_same_words_go_from_the_timeline_and_nothing_else_of_it_can_change(database: Database) -> None:
    place = new_id()
    as_owner(
        database,
        "insert into membership_step "
        "(id, organisation_id, at, from_status, to_status, body, actor, reason, reference, locale) "
        f"select gen_random_uuid(), '{place}', now(), 'full', 'suspended', 'secretariat', 'x', said, 'EC 3', 'en' "
        f"from unnest(array['{REASON}', 'Another']) said",
    )
    async with database.session() as db:
        words = {"reason": REASON, "reference": "EC 3"}
        await audit.record(db, ACTOR, Event.MEMBER_SUSPENDED, Subject.CITY, place, words=words)
    owner = await Database(owner_url(database.url)).open()
    async with owner.session() as db:
        await erase(db, ACTOR, Chosen(subject=str(place)), "gdpr-17")
    await owner.close()
    with psycopg.connect(owner_url(database.url), autocommit=True) as connection:
        left = connection.execute("select reason, reference from membership_step order by reason").fetchall()
        assert left == [("", ""), ("Another", "")]
        for change in ("actor = 'y'", "reason = 'forged'", "to_status = 'full', reason = ''"):
            with pytest.raises(psycopg.errors.RestrictViolation):
                connection.execute(f"update membership_step set {change}")
