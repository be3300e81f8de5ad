"""Every step up and down, on the wheel's PostgreSQL and on one found on the machine; models and migrations agree."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from federation.jose.replay import once
from wego import migrations, postgres
from wego.setup import load_terms, prepare

FAST = {"fsync": "off", "full_page_writes": "off", "autovacuum": "off"}


def servers() -> list[object]:
    """One parameter per kind of server: the wheel's, and the newest other one on this machine."""
    found = postgres.providers()
    wheel = [each for each in found if each.name is postgres.Source.EMBEDDED][:1]
    system = [each for each in found if each.name in (postgres.Source.PATH, postgres.Source.SYSTEM)][:1]
    reason = "no PostgreSQL besides the wheel's is installed here"
    return [pytest.param(each.bin, id=f"{each.name}-{each.version}") for each in (*wheel, *system)] + (
        [] if system else [pytest.param(None, id="system", marks=pytest.mark.skip(reason=reason))]
    )


@pytest.fixture(params=servers())
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    home = Path(tempfile.mkdtemp(prefix="wego-mig-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    with postgres.attach(home, binaries=request.param, tuning=FAST) as server:
        yield server.url
        postgres.stop(home)
    shutil.rmtree(home, ignore_errors=True)


def steps() -> list[str]:
    script = ScriptDirectory.from_config(migrations.config("postgresql://unused"))
    return [each.revision for each in script.walk_revisions()][::-1]


def test_every_step_goes_up_and_down_and_up_again(url: str):
    for before, step in zip(["base", *steps()], steps(), strict=False):
        migrations.upgrade(url, step)
        migrations.downgrade(url, before)
        migrations.upgrade(url, step)
    migrations.downgrade(url, "base")
    with psycopg.connect(url) as connection:
        left = connection.execute(
            "select c.relname from pg_class c where c.relnamespace = 'public'::regnamespace "
            "and c.relname not like 'alembic_version%'"
        ).fetchall()
    assert left == []


def test_what_was_used_before_0007_stays_used(url: str):
    ends = datetime(2026, 11, 25, 4, 0, 0, 500_000, tzinfo=UTC)
    used = hashlib.sha256(b"dpop:key:jti").digest()
    every = steps()
    migrations.upgrade(url, every[every.index("0007") - 1])
    with psycopg.connect(url) as connection:
        connection.execute("insert into oauth_replay (digest, expires_at) values (%s, %s)", (used, ends))
    migrations.upgrade(url, "0007")
    with psycopg.connect(url) as connection:
        kept = connection.execute("select key from oauth_replay").fetchall()
    assert kept == [(once("dpop", "key", "jti", ends.timestamp(), 65).key,)]


def test_models_and_migrations_agree(url: str):
    migrations.upgrade(url)
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "compare_server_default": True,
                "include_name": lambda name, kind, _: not (kind == "table" and str(name).startswith("procrastinate_")),
            },
        )
        assert compare_metadata(context, migrations.metadata()) == []
    engine.dispose()


def test_preparing_twice_changes_nothing_and_loads_every_label(url: str):
    prepare(url)
    prepare(url)
    with psycopg.connect(url) as connection:
        counted = connection.execute(
            "select scheme, count(distinct code), count(*) from term_label group by scheme order by scheme"
        ).fetchall()
    assert {row[0] for row in counted} >= {"country", "region", "sdg", "theme"}
    assert all(labels == 16 * codes for _, codes, labels in counted)


def test_the_log_refuses_to_be_changed(url: str):
    prepare(url)
    for statement in ("update audit_entry set actor = 'x'", "delete from audit_entry", "truncate audit_entry"):
        with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.RestrictViolation):
            connection.execute(statement)


def test_versions_from_before_are_as_visible_as_their_facts_say(url: str):
    """0006: the present version as the practice is, earlier ones by their snapshot; what is unknown stays closed."""
    script = ScriptDirectory.from_config(migrations.config("postgresql://unused"))
    before = script.get_revision("0006").down_revision
    migrations.upgrade(url, str(before))
    with psycopg.connect(url) as connection:
        connection.execute(_OLD_WORLD)
    migrations.upgrade(url, "0006")
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "select p.slug, r.number, r.members_from is not null, r.public_from is not null "
            "from content_revision r join practice p on p.id = r.document_id order by 1, 2"
        ).fetchall()
        connection.execute(_TWIN)
    assert found == [
        ("draft", 1, False, False),
        ("opened", 1, False, False), ("opened", 2, True, False), ("opened", 3, True, False), ("opened", 4, True, True),
        ("shut", 1, True, True), ("shut", 2, False, False),
    ]  # fmt: skip
    migrations.downgrade(url, str(before))
    with psycopg.connect(url) as connection:
        assert len(connection.execute("select slug from practice where slug like 'opened%'").fetchall()) == 2


def test_cities_become_organisations_and_cities_again(url: str):
    """0019: ids, names, memberships and the country of listed practices stay what they were, up and down."""
    script = ScriptDirectory.from_config(migrations.config("postgresql://unused"))
    before = str(script.get_revision("0019").down_revision)
    migrations.upgrade(url, before)
    with psycopg.connect(url) as connection:
        connection.execute(_OLD_WORLD)
        connection.execute(_OLD_MEMBERS)
        known = connection.execute("select to_jsonb(c) from city c order by slug").fetchall()
    migrations.upgrade(url, "0019")
    with psycopg.connect(url) as connection:
        shown = "select o.kind, o.slug, n.spelling, m.status, g.role from organisation o join city c using (id)"
        joined = " join organisation_name n on n.organisation_id = o.id join membership m on m.organisation_id = o.id"
        held = " join role_grant g on g.organisation_id = o.id order by 2"
        assert connection.execute(shown + joined + held).fetchall() == [("city", "one", "saopaulo", "full", "cio")]
        connection.execute("update organisation set country = 'JP' where slug = 'one'")
        countries = connection.execute("select distinct country from practice_listing").fetchall()
        assert countries == [("JP",)], "a city that is said to lie elsewhere takes its practices along"
        connection.execute("update organisation set country = 'KR' where slug = 'one'")
    migrations.downgrade(url, before)
    with psycopg.connect(url) as connection:
        assert connection.execute("select to_jsonb(c) from city c order by slug").fetchall() == known
        assert connection.execute("select name from city_name").fetchall() == [("São Paulo",)]
        connection.execute("update city set country = 'JP' where slug = 'one'")
        assert connection.execute("select distinct country from practice_listing").fetchall() == [("JP",)]


def test_an_organisation_that_is_no_city_keeps_its_version(url: str):
    """There is no place for it below, so nothing is lost in silence."""
    migrations.upgrade(url, "0019")
    with psycopg.connect(url) as connection:
        connection.execute(
            "insert into organisation (id, kind, slug, sort_name, endonym_locale, country, region)"
            " values (gen_random_uuid(), 'company', 'works', 'works', 'en', 'KR', 'east-asia')"
        )
    with pytest.raises(RuntimeError, match="1 organisations are no cities"):
        migrations.downgrade(url, "0018")


_OLD_MEMBERS = """
    insert into city_name (city_id, locale, name) select id, 'en', 'São Paulo' from city where slug = 'one';
    insert into membership (city_id, kind, status) select id, 'city', 'full' from city where slug = 'one';
    insert into person (id, email, name, locale) values (gen_random_uuid(), 'a@b.example', 'A', 'en');
    insert into role_grant (id, person_id, city_id, role, granted_by)
        select gen_random_uuid(), p.id, c.id, 'cio', '' from person p, city c where c.slug = 'one';
"""
_OLD_WORLD = """
    insert into city (id, slug, sort_name, endonym_locale, country, latitude, longitude, population, languages,
        time_zone, region) select gen_random_uuid(), name, name, 'en', 'KR', 1, 1, 1, '{}', 'Asia/Seoul', 'east-asia'
        from unnest(array['one', 'two']) name;
    create temp table made (slug text, visibility text, status text, versions text[]);
    insert into made values ('draft', 'public', 'draft', array[null]),
        ('opened', 'public', 'published', array['private', 'members', 'embargo', 'public']),
        ('shut', 'private', 'published', array['public', 'private']);
    insert into content_document (id, original_locale) select gen_random_uuid(), slug from made;
    insert into practice (id, slug, city_id, original_locale, status, visibility, public_from, published_at, title_hash,
        summary_hash, themes, sdg_codes, cofog, iso_codes, technologies, level_of_activity, stage, licence)
        select d.id, m.slug, (select id from city where slug = 'one'), 'en', m.status, m.visibility,
        case when m.status = 'published' and m.visibility = 'public' then now() end,
        case when m.status = 'published' then now() end, '', '', '{}', '{}', '{}', '{}', '{}', 'city', 'pilot', 'x'
        from made m join content_document d on d.original_locale = m.slug;
    insert into content_revision (id, document_id, number, minor, author, note, facts, published_at)
        select gen_random_uuid(), d.id, v.ord, false, '', '',
        case when v.word is null then '{}'::jsonb else jsonb_build_object('visibility', v.word) end,
        case when v.word is not null then now() end
        from made m join content_document d on d.original_locale = m.slug,
        unnest(m.versions) with ordinality v(word, ord);
    update content_document d set current_revision_id =
        (select r.id from content_revision r where r.document_id = d.id order by number desc limit 1)
"""
# The name of another city's practice, which is allowed since.
_TWIN = """
    insert into content_document (id, original_locale) values ('00000000-0000-0000-0000-000000000001', 'en');
    insert into practice (id, slug, city_id, original_locale, status, visibility, title_hash, summary_hash, themes,
        sdg_codes, cofog, iso_codes, technologies, level_of_activity, stage, licence)
        select '00000000-0000-0000-0000-000000000001', 'opened', (select id from city where slug = 'two'), 'en',
        'draft', 'private', '', '', '{}', '{}', '{}', '{}', '{}', 'city', 'pilot', 'x'
"""


def test_a_word_that_is_none_any_more_is_retired_and_comes_back_when_it_is_one_again(url: str):
    prepare(url)
    asked = "select scheme, code from term where retired"
    with psycopg.connect(url, autocommit=True) as connection:
        assert connection.execute(asked).fetchall() == []
        gone = "(gen_random_uuid(), 'theme', '1999.telegraphs', 99)"
        connection.execute(f"insert into term (id, scheme, code, position) values {gone}")
        connection.execute("update term set retired = true where code = '2020.mobility'")
        load_terms(connection)
        assert connection.execute(asked).fetchall() == [("theme", "1999.telegraphs")]
