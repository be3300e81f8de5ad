"""Checkpoints: signatures by a key that somebody keeps elsewhere, files that are damaged, keys that are replaced.

Binding texts: C2SP signed-note and tlog-checkpoint; attacks.md, class 8. Files and rows are really tampered with.
"""

from __future__ import annotations

import base64
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from wego.core import audit
from wego.core.access import system
from wego.core.audit import Event, Subject, Tree, leaf_hash, notes
from wego.core.audit.checkpoints import (
    checkpoint_health,
    file_of,
    lines,
    replace_key,
    sign,
    sign_if_grown,
)
from wego.core.audit.entries import canonical
from wego.core.audit.keyring import KeyProblem, key_file, public_file, public_keys, raw, signer
from wego.core.audit.notes import BadNote, VerifierKey
from wego.core.audit.proof import ENTRIES
from wego.core.audit.trust import ONLY_HERE, Report, prove
from wego.core.db import Database
from wego.core.ids import new_id
from wego.core.settings import Settings

from ..conftest import owner_url

ACTOR = system("test")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, public_url="https://hub.example")


async def tell(database: Database, count: int = 1) -> None:
    async with database.session() as db:
        for _ in range(count):
            await audit.record(db, ACTOR, Event.CITY_UPDATED, Subject.CITY, new_id(), words={"reason": "why"})


async def grown(database: Database, settings: Settings, times: int = 3) -> str:
    """A log with checkpoints; the verifier key that an operator would keep."""
    for _ in range(times):
        await tell(database, 2)
        await sign_if_grown(database, settings)
    return str(public_keys(settings.home)[0][0])


async def proved(database: Database, settings: Settings, *keys: str, copies: tuple[Path, ...] = ()) -> Report:
    async with database.session() as db:
        return await prove(db, settings, keys, copies)


def said(report: Report) -> str:
    return "\n".join(fault.what for fault in report.faults)


def as_owner(database: Database, *statements: str) -> None:
    with psycopg.connect(owner_url(database.url), autocommit=True) as owner:
        owner.execute("set session_replication_role = replica")
        for statement in statements:
            owner.execute(statement)


async def rewrite(database: Database, forgery: str) -> Tree:
    """A superuser who knows how the log is made: forges, and computes every leaf and the tree anew."""
    as_owner(database, forgery)
    tree, leaves = Tree(), []
    async with database.session() as db:
        for row in (await db.execute(ENTRIES)).all():
            leaves.append(leaf_hash(canonical(row)))
            tree.append(leaves[-1])
    as_owner(
        database,
        *(f"update audit_entry set leaf_hash = '\\x{leaf.hex()}' where index = {at}" for at, leaf in enumerate(leaves)),
        f"update audit_state set size = {tree.size}, root = '\\x{tree.root.hex()}', "
        f"frontier = '\\x{b''.join(tree.frontier or []).hex()}'",
    )
    return tree


FORGERY = "update audit_entry set actor = 'somebody else' where index = 1"


# ── what a forger is found by ─────────────────────────────────────────────────────────────────────────────────────


async def test_history_rewritten_with_the_file_and_a_new_key_is_found_by_the_operators_key(
    database: Database, settings: Settings
) -> None:
    """Everything on this machine is forged: rows, tree, checkpoints, file, private and public key."""
    kept = await grown(database, settings)
    tree = await rewrite(database, FORGERY)
    forger = Ed25519PrivateKey.generate()
    note = notes.write("hub.example/audit", tree.size, tree.root, [forger])
    as_owner(database, "delete from audit_checkpoint")
    with psycopg.connect(owner_url(database.url), autocommit=True) as owner:
        owner.execute("insert into audit_checkpoint values (%s, %s, %s, now())", (tree.size, tree.root, note))
    file_of(settings.home).write_bytes(orjson.dumps({"size": tree.size, "root": tree.root.hex(), "note": note}) + b"\n")
    key_file(settings.home).write_bytes(raw(forger))
    public_file(settings.home).write_text(f"{VerifierKey.of('hub.example/audit', forger)}\n")
    blind = await proved(database, settings)
    assert not blind.faults  # the machine alone cannot tell …
    assert ONLY_HERE in blind.notices  # … and says so
    found = said(await proved(database, settings, kept))
    assert "which is not a key that is known to be the log's" in found
    assert "no checkpoint is signed by a key that was given" in found


async def test_with_the_private_key_stolen_a_copy_of_the_checkpoints_finds_it(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    kept = await grown(database, settings)
    copy = shutil.copy(file_of(settings.home), tmp_path / "copy.jsonl")
    await rewrite(database, FORGERY)
    as_owner(database, "delete from audit_checkpoint")
    file_of(settings.home).unlink()
    await sign(database, settings)
    assert not (await proved(database, settings, kept)).faults  # nothing here helps against the key itself
    report = await proved(database, settings, kept, copies=(Path(copy),))
    assert "the tree up to here is not the one that a checkpoint signed" in said(report)


async def test_a_checkpoint_file_that_was_taken_away_is_told_by_name(database: Database, settings: Settings) -> None:
    kept = await grown(database, settings)
    file_of(settings.home).unlink()
    assert f"{file_of(settings.home)} is missing: 3 checkpoints" in said(await proved(database, settings, kept))
    assert f"{file_of(settings.home)} is missing" in str(await checkpoint_health(database, settings))
    await sign_if_grown(database, settings)  # writes again what the database still has
    assert not (await proved(database, settings, kept)).faults
    assert len(list(lines(file_of(settings.home)))) == 3


def _flipped(note: str) -> str:
    head, _, signature = note.rpartition(" ")
    content = bytearray(base64.b64decode(signature))
    content[-1] ^= 1
    return f"{head} {base64.b64encode(content).decode()}\n"


def _resized(note: str) -> str:
    return note.replace("\n4\n", "\n5\n")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (_flipped, "its signature is not good"),
        (_resized, "its signature is not good"),
        (lambda note: note.replace("hub.example/audit\n", "other.example/audit\n", 1), "signature is not good"),
        (lambda note: note.replace("—", "-"), "torn"),
        (lambda note: note[:60], "no origin, size and root"),
        (lambda note: note.partition("\n\n")[0] + "\n\n", "nobody signed it"),
        (lambda _: "", "no origin, size and root"),
        (lambda _: "\n\n\n", "no origin, size and root"),
    ],
)
async def test_a_note_that_was_changed_is_found_in_the_file_and_in_the_database(
    database: Database, settings: Settings, change: Callable[[str], str], what: str
) -> None:
    kept = await grown(database, settings)
    content = [orjson.loads(line) for line in file_of(settings.home).read_bytes().splitlines()]
    content[1]["note"] = change(content[1]["note"])
    file_of(settings.home).write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in content))
    report = await proved(database, settings, kept)
    assert any(what in fault.what and "line 2" in fault.what for fault in report.faults), said(report)
    assert report.signed == 6  # what comes after it is read all the same
    with psycopg.connect(owner_url(database.url), autocommit=True) as owner:
        owner.execute("set session_replication_role = replica")
        owner.execute("update audit_checkpoint set note = %s where size = 4", (content[1]["note"],))
    report = await proved(database, settings, kept)
    assert any(what in fault.what and "in the database" in fault.what for fault in report.faults), said(report)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (b"\xff\xfe garbage", "it is no checkpoint"), (b"[]", "it is no checkpoint"), (b"{}", "it is no checkpoint"),
        (b'{"note": 7}', "it is no text"), (b"null", "it is no checkpoint"), (b"", "it is no checkpoint"),
        (b'{"note": "' + b"x" * 20_000 + b'"}', "too long"), (b"[" * 5_000, "it is no checkpoint"),
    ],
)  # fmt: skip
async def test_damage_in_the_middle_of_the_file_is_told_by_line_and_stops_nothing(
    database: Database, settings: Settings, line: bytes, what: str
) -> None:
    kept = await grown(database, settings)
    first, *rest = file_of(settings.home).read_bytes().splitlines()
    file_of(settings.home).write_bytes(b"\n".join([first, line, *rest]) + b"\n")
    report = await proved(database, settings, kept)
    assert [fault.what.endswith(what) or what in fault.what for fault in report.faults] == [True], said(report)
    assert "line 2" in said(report)
    assert report.signed == 6


async def test_a_torn_last_line_is_told_and_the_next_checkpoint_replaces_it(
    database: Database, settings: Settings
) -> None:
    kept = await grown(database, settings)
    whole = file_of(settings.home).read_bytes()
    for cut in (1, 40, 200):
        file_of(settings.home).write_bytes(whole[:-cut])
        report = await proved(database, settings, kept)
        assert not report.faults
        if cut > 1:
            assert any("torn" in notice for notice in report.notices), cut
    await tell(database)
    await sign_if_grown(database, settings)
    assert [line.note.size for line in lines(file_of(settings.home)) if line.note] == [2, 4, 6, 7]
    assert not (await proved(database, settings, kept)).faults


async def test_sizes_that_fall_are_found(database: Database, settings: Settings) -> None:
    kept = await grown(database, settings)
    first, second, third = file_of(settings.home).read_bytes().splitlines(keepends=True)
    file_of(settings.home).write_bytes(second + first + third)
    assert "it signed 2 entries after 4" in said(await proved(database, settings, kept))


# ── the key ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("content", "what"),
    [(b"", "is empty"), (b"short", "holds 5 bytes"), (b"x" * 33, "holds 33 bytes"), (None, "is missing")],
)
async def test_a_damaged_key_is_told_by_name_and_replaced_by_nothing(
    database: Database, settings: Settings, content: bytes | None, what: str
) -> None:
    kept = await grown(database, settings)
    if content is None:
        key_file(settings.home).unlink()
    else:
        key_file(settings.home).write_bytes(content)
    await tell(database)
    with pytest.raises(KeyProblem, match=what):
        await sign(database, settings)
    assert what in str(await checkpoint_health(database, settings))
    assert str(key_file(settings.home)) in str(await checkpoint_health(database, settings))
    assert not (await proved(database, settings, kept)).faults  # what was signed is still proved
    await replace_key(database, settings, ACTOR)
    assert await checkpoint_health(database, settings) is None
    report = await proved(database, settings, kept)
    assert "which is not a key that is known" in said(report)  # nobody vouches for the new one …
    both = [str(key) for key in public_keys(settings.home)[0]]
    assert not (await proved(database, settings, *both)).faults  # … until the operator does


async def test_a_key_that_was_replaced_is_followed_by_its_successor_and_refused_from_then_on(
    database: Database, settings: Settings
) -> None:
    kept = await grown(database, settings)
    stolen = signer(settings)
    for _ in range(2):
        await replace_key(database, settings, ACTOR)
        await tell(database)
        await sign_if_grown(database, settings)
    assert not (await proved(database, settings, kept)).faults  # the first key leads to the last
    assert not (await proved(database, settings)).faults
    async with database.session() as db:
        size, root = (await db.execute(text("select size, root from audit_state"))).one()
    note = notes.write(stolen.origin, size, root, [stolen.key])
    with file_of(settings.home).open("ab") as file:
        file.write(orjson.dumps({"size": size, "root": root.hex(), "note": note}) + b"\n")
    assert "signed by a key that had been replaced" in said(await proved(database, settings, kept))


async def test_a_successor_that_the_log_announces_without_the_old_signature_is_not_believed(
    database: Database, settings: Settings
) -> None:
    """Whoever can append can announce; only the old key can vouch."""
    kept = await grown(database, settings)
    old, forger = signer(settings), Ed25519PrivateKey.generate()
    public = VerifierKey.of(old.origin, forger).public.hex()
    async with database.session() as db:
        await audit.record(
            db,
            ACTOR,
            Event.KEY_ROTATED,
            "AuditKey",
            new_id(),
            old=f"id:{old.public.id.hex()}",
            public=f"ed25519:{public}",
        )
    key_file(settings.home).write_bytes(raw(forger))
    await sign(database, settings)
    assert "not a key that is known to be the log's" in said(await proved(database, settings, kept))


@pytest.mark.parametrize(
    "wrong",
    ["name+00000000+AAAA", "nothing", "a b+1+2", "+", "x" * 10_000 + "+1+2", "hub.example/audit+12345678+" + "A" * 44],
)
async def test_a_verifier_key_that_is_none_is_told(database: Database, settings: Settings, wrong: str) -> None:
    await grown(database, settings, 1)
    assert (await proved(database, settings, wrong)).faults
    with pytest.raises(BadNote):
        VerifierKey.parse(wrong)


async def test_a_verifier_key_can_be_given_as_a_file_and_reads_as_it_was_written(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    kept = await grown(database, settings)
    assert str(VerifierKey.parse(kept)) == kept
    (tmp_path / "kept.key").write_text(kept + "\n")
    report = await proved(database, settings, str(tmp_path / "kept.key"))
    assert (report.faults, report.signed, ONLY_HERE in report.notices) == ((), 6, False)
    assert key_file(settings.home).stat().st_mode & 0o077 == 0


async def test_the_name_of_the_log_outlives_its_address(database: Database, settings: Settings) -> None:
    kept = await grown(database, settings)
    moved = Settings(home=settings.home, public_url="https://new.example")
    await tell(database)
    await sign_if_grown(database, moved)
    assert not (await proved(database, moved, kept)).faults
    assert len(public_keys(settings.home)[0]) == 1


# ── whether it goes on ────────────────────────────────────────────────────────────────────────────────────────────


async def test_entries_that_wait_too_long_for_a_checkpoint_alarm(database: Database, settings: Settings) -> None:
    later = datetime.now(UTC) + timedelta(minutes=6)
    assert await checkpoint_health(database, settings) is None
    await tell(database)
    assert await checkpoint_health(database, settings) is None
    assert "wait for a checkpoint" in str(await checkpoint_health(database, settings, later))
    await sign_if_grown(database, settings)
    assert await checkpoint_health(database, settings, later) is None
    await tell(database)
    await tell(database)
    assert "wait for a checkpoint" in str(await checkpoint_health(database, settings, later))


async def test_a_file_that_cannot_be_written_loses_no_checkpoint(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = await grown(database, settings, 1)

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    await tell(database)
    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        with pytest.raises(OSError, match="No space"):
            await sign_if_grown(database, settings)
    await sign_if_grown(database, settings)
    report = await proved(database, settings, kept)
    assert (report.faults, report.signed) == ((), 3)
