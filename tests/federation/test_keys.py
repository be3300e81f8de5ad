"""The signing keys: nobody else reads them, processes agree on them, and they take turns without a refusal."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import pytest
from federation_make import ISSUER, Caller, Station, forged, make_station
from sqlalchemy import text

from federation.jose import jose
from federation.jose.keys import LEAD, SKEW, TURN, KeyRing, folder, open_keys
from federation.jose.proofs import TokenError
from federation.oauth import jobs
from wego.core.db import Database
from wego.core.settings import Settings


def files(home: Path) -> list[Path]:
    return sorted(folder(home).iterdir())


async def test_the_private_half_is_a_file_that_nobody_else_reads(database: Database, tmp_path: Path) -> None:
    ring = await open_keys(Settings(home=tmp_path), database, watch=False)
    (file,) = files(tmp_path)
    assert (file.stat().st_mode & 0o777, folder(tmp_path).stat().st_mode & 0o777) == (0o600, 0o700)
    async with database.session() as db:
        row = (await db.execute(text("SELECT k::text FROM oauth_key k"))).scalar_one()
    assert '"d"' not in row
    assert all("d" not in key for key in ring.jwks()["keys"])
    assert str(jose.private_jwk(ring.signing().private)["d"]) not in repr(ring.__dict__)


async def test_a_file_that_others_could_read_is_made_private(database: Database, tmp_path: Path) -> None:
    await open_keys(Settings(home=tmp_path), database, watch=False)
    files(tmp_path)[0].chmod(0o644)
    await open_keys(Settings(home=tmp_path), database, watch=False)
    assert files(tmp_path)[0].stat().st_mode & 0o777 == 0o600


async def test_processes_that_start_at_once_agree_on_one_key(database: Database, tmp_path: Path) -> None:
    twins = [await Database(database.url).open() for _ in range(4)]
    rings = await asyncio.gather(*(open_keys(Settings(home=tmp_path), each, watch=False) for each in twins))
    assert len({ring.signing().kid for ring in rings}) == 1
    assert len(files(tmp_path)) == 1
    for each in twins:
        await each.close()


async def test_keys_take_turns_by_the_clock(database: Database, tmp_path: Path) -> None:
    ring = await open_keys(Settings(home=tmp_path), database, watch=False)
    now = datetime.now(UTC)
    old = ring.signing(now).kid
    assert await ring.rotate_when_due(now + timedelta(days=20)) is None
    start = now + TURN - LEAD + timedelta(minutes=1)
    new = await ring.rotate_when_due(start)
    assert new is not None
    assert await ring.rotate(start) is None  # the next one waits already
    kids = {key["kid"] for key in ring.jwks(start)["keys"]}
    assert kids == {old, new}  # published before its first use
    begins, ends = start + LEAD, start + LEAD + timedelta(seconds=300) + SKEW
    assert ring.signing(begins - timedelta(seconds=1)).kid == old
    assert ring.signing(begins).kid == new
    assert ring.public(old, ends - timedelta(seconds=1)) is not None
    assert ring.public(old, ends) is None
    assert [key["kid"] for key in ring.jwks(ends)["keys"]] == [new]
    assert ring.signing(now - timedelta(minutes=10)).kid == old  # a clock that was set back


async def test_rotation_under_use_refuses_nobody(station: Station, caller: Caller) -> None:
    """Two processes sign and verify while the key changes hands; each learns of it by refreshing."""
    twin = await make_station(await Database(station.hub.database.url).open(), station.hub.settings.home)
    before = station.hub.keys.signing().kid
    await station.hub.keys.rotate(lead=timedelta(seconds=1.2))
    until, kids = time.monotonic() + 2.4, set()
    while time.monotonic() < until:
        await twin.hub.keys.refresh()
        for issuing, reading in ((station, twin), (twin, station)):
            token = await caller.token(issuing)
            kids.add(jose.parts(token)[0]["kid"])
            answer = await caller.read(reading, token)
            assert answer.status_code == 200, answer.text
    assert kids == {before, station.hub.keys.signing().kid}
    assert len(kids) == 2
    await twin.close()
    await twin.hub.database.close()


async def test_a_key_of_a_retired_kid_is_refused(station: Station, caller: Caller) -> None:
    token = await caller.token(station)
    now = datetime.now(UTC)
    known = station.verifier.verify(token, now)
    await station.hub.keys.rotate(now)
    header, payload = jose.parts(token)
    claims = {**jose.members(payload), "exp": int(time.time()) + 86400 * 40}
    old = station.hub.keys.signing(now).private
    late = now + LEAD + timedelta(seconds=300) + SKEW
    with pytest.raises(TokenError, match="retired"):
        station.verifier.verify(forged(header, claims, old), late)
    with pytest.raises(TokenError, match="retired"):
        station.verifier.verify(token, late)  # also one that was verified before
    assert known.kid == header["kid"]


async def test_in_an_emergency_every_key_is_dropped_at_once(station: Station, caller: Caller) -> None:
    token = await caller.token(station)
    twin = await make_station(station.hub.database, station.hub.settings.home)
    assert (await caller.read(twin, token)).status_code == 200
    await station.hub.keys.rotate()  # also the one that waits
    kid = await station.hub.keys.replace_all()
    assert [key["kid"] for key in station.hub.keys.jwks()["keys"]] == [kid]
    assert (await caller.read(station, token)).status_code == 401
    await twin.hub.keys.refresh()
    assert (await caller.read(twin, token)).status_code == 401
    assert (await caller.read(twin, await caller.token(station))).status_code == 200
    await twin.close()


async def test_a_lost_private_half_is_replaced_and_its_tokens_stay_good(station: Station, caller: Caller) -> None:
    token = await caller.token(station)
    for file in files(station.hub.settings.home):
        file.unlink()
    restored = await make_station(station.hub.database, station.hub.settings.home)
    assert restored.hub.keys.signing().kid != station.hub.keys.signing().kid
    assert (await caller.read(restored, token)).status_code == 200
    await station.hub.keys.refresh()
    assert (await caller.read(station, await caller.token(restored))).status_code == 200
    await restored.close()


async def test_a_file_that_is_no_key_is_replaced(database: Database, tmp_path: Path) -> None:
    first = await open_keys(Settings(home=tmp_path), database, watch=False)
    files(tmp_path)[0].write_text("garbage")
    second = await open_keys(Settings(home=tmp_path), database, watch=False)
    assert second.signing().kid != first.signing().kid


async def test_the_daily_job_rotates_and_forgets(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEGO_HOME", str(tmp_path))
    monkeypatch.setenv("WEGO_PUBLIC_URL", ISSUER)
    ring = await open_keys(Settings(home=tmp_path), database, watch=False)
    first = ring.signing().kid
    await jobs.rotate_keys(database)
    assert len(files(tmp_path)) == 1
    later = datetime.now(UTC) + TURN
    await jobs.rotate_keys(database, now=later.isoformat())
    await jobs.rotate_keys(database, now=later.isoformat())
    assert len(files(tmp_path)) == 2
    await ring.refresh(later)
    second = ring.signing(later + LEAD).kid
    assert second != first
    await jobs.rotate_keys(database, now=(later + timedelta(days=2)).isoformat())
    assert [path.stem for path in files(tmp_path)] == [f"oauth-{second}"]
    async with database.session() as db:
        told = await db.execute(text("SELECT count(*) FROM audit_entry WHERE event = 'key.rotated'"))
    assert told.scalar_one() == 2


async def test_the_ring_keeps_itself_fresh_and_survives_a_database_that_is_away(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("federation.jose.keys.REFRESH_SECONDS", 0.05)
    ring = await open_keys(Settings(home=tmp_path), database)
    other = await open_keys(Settings(home=tmp_path), database, watch=False)
    away, ring._database = ring._database, Database("postgresql://nobody@127.0.0.1:9/none")
    await asyncio.sleep(0.2)
    assert ring.signing().kid == other.signing().kid
    ring._database = away
    kid = await other.replace_all()
    for _ in range(40):
        await asyncio.sleep(0.05)
        if ring.signing().kid == kid:
            break
    assert ring.signing().kid == kid
    await ring.close()


async def test_a_clock_that_jumps_does_no_lasting_harm(station: Station, caller: Caller) -> None:
    token, now = await caller.token(station), datetime.now(UTC)
    for jump, said in ((timedelta(minutes=10), "expired"), (timedelta(minutes=-10), "not valid yet")):
        with pytest.raises(TokenError, match=said):
            station.verifier.verify(token, now + jump)
        assert station.hub.keys.signing(now + jump).kid == station.hub.keys.signing(now).kid
    assert (await caller.read(station, token)).status_code == 200


def test_the_libraries_are_not_older_than_their_advisories() -> None:
    """federation.md 3.2: below these, forged tokens passed."""
    for name, floor in {"authlib": (1, 9, 0), "joserfc": (1, 7, 6), "cryptography": (46, 0, 0)}.items():
        assert tuple(int(part) for part in version(name).split(".")[:3]) >= floor


async def test_a_ring_without_keys_says_so(database: Database, tmp_path: Path) -> None:
    with pytest.raises(LookupError):
        KeyRing(Settings(home=tmp_path), database).signing()
