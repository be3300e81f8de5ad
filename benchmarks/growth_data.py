"""Practices for measuring growth, made by the database itself: only what lists read, so half a million take minutes.

What is common and what is rare is on purpose: one city has a fifth of all, one theme, one goal and one language are
there in a few of ten thousand, words of titles follow Zipf's law, drafts and practices for members lie in between,
and old practices were changed lately. The same numbers make the same rows.
"""

from __future__ import annotations

import psycopg
from psycopg import sql

LATIN = (
    "city", "open", "data", "service", "digital", "public", "smart", "water", "mobile", "portal", "budget", "safety",
    "health", "school", "waste", "energy", "traffic", "citizen", "report", "library", "market", "permit", "bridge",
    "harbour", "archive", "quarter", "tramway", "zoning", "kiosk", "wharf",
)  # fmt: skip
KOREAN = (
    "도시", "시민", "데이터", "서비스", "열린", "안전", "교통", "버스", "건강", "학교", "물", "에너지", "도서관",
    "시장", "예산", "민원", "공원", "환경", "주차", "다리", "기록", "항구", "온실", "등대", "풍차",
)  # fmt: skip
RARE = ("xylograph", "훈민정음")
TECHNOLOGIES = (
    "open-source", "mobile-app", "web-map", "gis", "sensor", "sms", "wi-fi", "call-centre", "cloud", "wiki",
    "open-data-portal", "digital-twin", "blockchain", "quantum-sensor",
)  # fmt: skip

# A number between 0 and 1 that looks like chance and is the same each time.
_DICE = "((hashint8extended(n, {salt}) & 1048575)::float8 / 1048576)"


def _dice(salt: int) -> str:
    return _DICE.format(salt=salt)


def _word(words: tuple[str, ...], salt: int) -> str:
    """A word of these, the first ones much oftener: the square of a die, half way to Zipf's law."""
    listed = ", ".join(f"'{word}'" for word in words)
    return f"(array[{listed}])[1 + floor(power({_dice(salt)}, 2) * {len(words)})::int]"


def _title(words: tuple[str, ...], rare: str, salt: int, many: int) -> str:
    parts = " || ' ' || ".join(_word(words, salt + number) for number in range(many))
    return f"initcap({parts}) || case when n %% 20011 = 7 then ' {rare}' else '' end || ' ' || n"


_NUMBERED = f"""
    create temporary table made on commit drop as
    select made.*, key::uuid as id from (
    with c as (select array_agg(c.id order by c.slug) as all_of from organisation c
               join membership m on m.organisation_id = c.id where m.status in ('associate', 'full')),
         t as (select array_agg(code::varchar order by position) as all_of from term where scheme = 'theme')
    select n, lpad(to_hex(n + 1500000000000), 12, '0')::text || '7' || substr(md5(n::text), 1, 19) as key,
        timestamptz '2010-09-07' + (n::float8 / %(count)s) * interval '14 years' as at,
        timestamptz '2010-09-07' + (n::float8 / %(count)s) * interval '14 years'
            + power({_dice(1)}, 8) * (1.01 - n::float8 / %(count)s) * interval '14 years' as changed,
        case when {_dice(2)} < 0.2 then c.all_of[1]
             else c.all_of[1 + floor(power({_dice(3)}, 2) * cardinality(c.all_of))::int] end as city,
        {_dice(4)} < 0.9 as live, {_dice(5)} < 0.94 as open,
        (array['operating', 'implementing', 'scaled', 'pilot', 'ended'])[1 + floor(power({_dice(6)}, 2) * 5)::int]
            as stage,
        case when n %% 10007 = 3 then t.all_of[cardinality(t.all_of):] else
            array[t.all_of[1 + floor(power({_dice(7)}, 2) * (cardinality(t.all_of) - 2))::int],
                  t.all_of[1 + floor({_dice(8)} * (cardinality(t.all_of) - 2))::int]] end as themes,
        case when n %% 9973 = 5 then array['17'] else
            array[(1 + floor(power({_dice(9)}, 2) * 16)::int)::varchar,
                  (1 + floor({_dice(10)} * 16)::int)::varchar || '.' || (1 + n %% 3)::varchar] end as goals,
        case when {_dice(11)} < 0.4 then '{{}}' else array[{_word(TECHNOLOGIES[:-1], 12)}::varchar,
            case when n %% 10009 = 4 then '{TECHNOLOGIES[-1]}' else {_word(TECHNOLOGIES[:-1], 13)} end] end
            as technologies,
        jsonb_build_object('en', jsonb_build_array({_word(LATIN, 14)}, {_word(LATIN, 15)}
            || case when n %% 10061 = 8 then ' {RARE[0]}' else '' end), 'ko', jsonb_build_array({_word(KOREAN, 16)}))
            as keywords,
        case when {_dice(17)} < 0.7 then to_jsonb(array[repeat('x', 400)]) else '[]' end as sources,
        {_title(LATIN, RARE[0], 20, 4)} as latin, {_title(KOREAN, RARE[1], 30, 3)} as korean
    from generate_series(%(start)s::bigint, %(stop)s::bigint - 1) as n, c, t) made
"""
_STEPS = (
    "insert into content_document (id, original_locale) select id, 'en' from made",
    """insert into content_reading (document_id, locale, origin, title, title_hash, summary, summary_hash)
       select id, locale, 'human', case when locale = 'ko' then korean else latin end, '\\x00', latin, '\\x00'
       from made, lateral (select 'en' as locale union all select 'ko' where n % 5 < 3 union all
           select 'fr' where n % 5 = 1 union all select 'ja' where n % 400 = 9
           union all select 'mn' where n % 30011 = 11
       ) as l""",
    """insert into practice (id, slug, city_id, original_locale, status, visibility, public_from, title_hash,
           summary_hash, themes, sdg_codes, technologies, keywords, sources, level_of_activity, stage, licence,
           created_at, updated_at, published_at, sorted_at)
       select id, 'p-' || lower(to_hex(hashint8extended(n, 99) & 1048575)) || '-' || n, city, 'en',
           case when live then 'published' else 'draft' end,
           case when not live then 'private' when open then 'public' else 'members' end,
           case when live and open then at end, '\\x00', '\\x00', themes, goals, technologies, keywords, sources,
           'city', stage, 'CC-BY-4.0', at, changed, case when live then at end, at
       from made order by n""",
)  # fmt: skip
CHUNK = 25_000
_GIN = "ix_practice_listing_found"


def fill(url: str, count: int) -> None:
    """Bring the practices of an empty, prepared database with cities to `count`."""
    with psycopg.connect(url) as connection:
        connection.execute("set synchronous_commit = off")
        connection.execute("set session_replication_role = replica")
        # The index is made once at the end, which takes a fraction of keeping it row by row.
        row = connection.execute("select pg_get_indexdef(%s::regclass)", (_GIN,)).fetchone()
        assert row
        connection.execute(f"drop index {_GIN}")
        connection.commit()
        for start in range(0, count, CHUNK):
            connection.execute(sql.SQL(_NUMBERED), {"count": count, "start": start, "stop": min(start + CHUNK, count)})
            for step in _STEPS:
                connection.execute(sql.SQL(step))
            connection.commit()
        connection.execute("set maintenance_work_mem = '512MB'")
        connection.execute(row[0])
        connection.commit()
        connection.autocommit = True
        connection.execute("vacuum (analyze) practice, practice_listing, content_reading, city, membership")
        connection.execute("checkpoint")
