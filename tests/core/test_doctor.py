"""What `wego doctor` says of the surroundings."""

from __future__ import annotations

from pathlib import Path

import pytest

from wego import postgres
from wego.cli.doctor import findings
from wego.core.db import Database
from wego.core.settings import Settings

from ..conftest import owner_url


@pytest.mark.parametrize(
    ("public_url", "level"),
    [
        ("", "ok"),
        ("https://hub.example.org", "ok"),
        ("http://localhost:8000", "ok"),
        ("http://[::1]:8000", "ok"),
        ("http://hub.example.org", "error"),
        ("ftp://hub.example.org", "error"),
    ],
)
async def test_an_address_at_which_no_token_can_be_had_is_an_error(tmp_path: Path, public_url: str, level: str):
    settings = Settings(home=tmp_path, public_url=public_url, database_url="postgresql://127.0.0.1:1/none")
    (said,) = [each for each in await findings(settings) if settings.issuer in each.what]
    assert said.level == level


async def test_a_database_that_cannot_be_reached_is_an_error(tmp_path: Path):
    *_, last, about_log = await findings(Settings(home=tmp_path, database_url="postgresql://127.0.0.1:1/none"))
    assert (last.level, "WEGO_DATABASE_URL" in last.what) == ("error", True)
    assert (about_log.level, "the log cannot be looked at" in about_log.what) == ("warning", True)


async def test_a_role_that_could_rewrite_the_log_is_a_warning_and_a_log_without_a_key_an_error(
    database: Database, tmp_path: Path
) -> None:
    *_, told = await findings(Settings(home=tmp_path, database_url=database.url))
    assert (told.level, told.what) == ("ok", "the log is signed, and the hub's role cannot rewrite it")
    *_, told = await findings(Settings(home=tmp_path, database_url=owner_url(database.url)))
    assert (told.level, "owns its tables" in told.what) == ("warning", True)
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "audit.key").write_bytes(b"")
    *_, told = await findings(Settings(home=tmp_path, database_url=database.url))
    assert (told.level, "audit.key is empty" in told.what) == ("error", True)


async def _errors(home: Path) -> list[str]:
    return [each.what for each in await findings(Settings(home=home)) if each.level == "error"]


async def test_what_is_wrong_with_the_embedded_server_is_found_and_nothing_is_started(tmp_path: Path) -> None:
    tmp_path.chmod(0o711)
    home = tmp_path / "home"
    assert await _errors(home) == []
    assert not home.exists()
    with postgres.attach(home, tuning={"fsync": "off"}, grace=0):
        assert any("the server runs" in each.what for each in await findings(Settings(home=home)))
        (home / "password").chmod(0o644)
        assert ["others may read" in each for each in await _errors(home)] == [True]
    postgres.stop(home)
    (home / "password").chmod(0o600)
    (home / "cluster" / "data" / "PG_VERSION").write_text("13\n")
    assert ["of PostgreSQL 13" in each for each in await _errors(home)] == [True]
