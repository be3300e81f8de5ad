"""What could be had at best over our tables: a hand-written ASGI endpoint with one prepared statement per question,
and static bytes. No FastAPI, no authentication, no limits, no GraphQL: the request's body is read for its variables.

The statements are tuned by hand and give the very JSON of the hub. Environment: FLOOR_URL, FLOOR_PORT, FLOOR_WORKERS,
FLOOR_STATIC (a folder with one answer per question), FLOOR_POOL (connections).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import uvicorn

READ_SETTINGS = {
    "plan_cache_mode": "force_generic_plan", "jit": "off", "max_parallel_workers_per_gather": "0",
    "timezone": "UTC", "application_name": "floor",
}  # fmt: skip

NAMES = """left join lateral (select * from (
    (select n.name, n.locale from organisation_name n
     where n.organisation_id = c.id and n.locale = ($1::text[])[1])
    union all (select n.name, n.locale from organisation_name n
               where n.organisation_id = c.id and n.locale = ($1::text[])[2])
    union all (select n.name, n.locale from organisation_name n where n.organisation_id = c.id and n.locale = 'en')
    ) u limit 1) n on true"""


def reading(columns: str, count: int = 2, tags: str = "$1") -> str:
    """The first that there is: one of so many languages wished for, or the original."""
    step = f"select {columns}, r.locale from content_reading r where r.document_id = p.id and r.locale ="
    locales = (*(f"({tags}::text[])[{number + 1}]" for number in range(count)), "p.original_locale")
    wanted = " union all ".join(f"({step} {locale})" for locale in locales)
    return f"left join lateral (select * from ({wanted}) u limit 1) x on true"


def text(value: str, locale: str = "") -> str:
    """A LocalizedText of which the text is asked, and perhaps the locale."""
    tag = f", {locale} as locale" if locale else ""
    return f"(select row_to_json(j) from (select {value} as text{tag}) j)"


Q1 = f"""select (select row_to_json(a) from (select (select row_to_json(b) from (
  select json_agg(row_to_json(o)) as nodes from (
    select p.slug, {text("x.title", "x.locale")} as title, {text("x.summary", "x.locale")} as summary,
      (select row_to_json(j) from (select c.slug, {text("n.name", "n.locale")} as name) j) as city,
      (select json_agg(row_to_json(j)) from (select t as code from unnest(p.themes) t) j) as themes
    from (select id, slug, city_id, original_locale, themes, sorted_at from practice where public_from <= now()
          order by sorted_at desc, id desc limit 20) p
    join organisation c on c.id = p.city_id {reading("r.title, r.summary")} {NAMES}
    order by p.sorted_at desc, p.id desc
  ) o) b) as practices) a)"""

PART = (
    "select r.locale, r.heading, r.body from content_section r"
    " where r.document_id = p.id and r.key = s.key and r.locale ="
)
PARTS = f"""(select coalesce(json_agg(row_to_json(j)), '[]') from (
    select s.key, {text("y.heading", "y.locale")} as heading, {text("y.body", "y.locale")} as body
    from content_section s left join lateral (
      select * from (({PART} ($2::text[])[1]) union all ({PART} s.locale)) u limit 1) y on true
    where s.document_id = p.id and s.locale = p.original_locale order by s.position) j)"""
TRANSLATED = f"""(select coalesce(json_agg(row_to_json(j)), '[]') from (
    select s.key, {text("s.heading")} as heading, {text("s.body")} as body
    from content_section s where s.document_id = p.id and s.locale = t.locale order by s.position) j)"""

Q2 = f"""select (select row_to_json(a) from (select (select row_to_json(o) from (
    select p.slug, {text("x.title", "x.locale")} as title, {text("x.summary", "x.locale")} as summary,
      {PARTS} as sections,
      (select coalesce(json_agg(row_to_json(m)), '[]') from (
         select t.locale, {text("y.title")} as title, {text("y.summary")} as summary,
           {TRANSLATED} as sections
         from content_translation t join content_reading y on y.document_id = t.document_id and y.locale = t.locale
         where t.document_id = p.id and t.status = 'published' order by t.locale) m) as translations
    from practice p {reading("r.title, r.summary", 1, "$2")}
    where p.slug = $1 and p.public_from <= now()) o) as practice) a)"""

Q3 = f"""select (select row_to_json(a) from (select (select row_to_json(b) from (
  select json_agg(row_to_json(o)) as nodes from (
    select c.slug, (select row_to_json(d) from (select (select coalesce(json_agg(row_to_json(e)), '[]') from (
        select p.slug, {text("x.title", "x.locale")} as title
        from (select id, slug, original_locale from practice where city_id = c.id and public_from <= now()
              order by sorted_at desc, id desc limit 5) p {reading("r.title")}) e) as nodes) d) as practices
    from (select c.id, c.slug from organisation c
          join organisation_place o on o.organisation_id = c.id and o.locale = 'en'
          where c.kind = 'city' and exists (select 1 from membership m where m.organisation_id = c.id
            and m.status in ('associate', 'corporate', 'friendship', 'full', 'resigning', 'suspended'))
          order by o.key, c.id limit 20) c
  ) o) b) as cities) a)"""

STATEMENTS = {"/Q1": (Q1, ("l",)), "/Q2": (Q2, ("slug", "l")), "/Q3": (Q3, ("l",))}
TYPENAME = b'{"data":{"__typename":"Query"}}'


class Floor:
    """The application: `/Q1`, `/Q2`, `/Q3` ask the database, `/Q5` and `/static/…` do not."""

    def __init__(self) -> None:
        self.pool: Any = None
        folder = Path(os.environ["FLOOR_STATIC"])
        self.static = {f"/static/{path.stem}": path.read_bytes() for path in folder.glob("*.json")}
        self.static |= {"/Q5": TYPENAME, "/typename": TYPENAME}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        parts = []
        while True:
            message = await receive()
            parts.append(message.get("body", b""))
            if not message.get("more_body"):
                break
        path = scope["path"]
        answer = self.static.get(path)
        if answer is None:
            sql, names = STATEMENTS[path]
            given = orjson.loads(b"".join(parts))["variables"]
            answer = b'{"data":%s}' % await self.pool.fetchval(sql, *[given[name] for name in names])
        size = str(len(answer)).encode()
        headers = [(b"content-type", b"application/json; charset=utf-8"), (b"content-length", size)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    async def _lifespan(self, receive: Any, send: Any) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self.pool = await asyncpg.create_pool(
                    os.environ["FLOOR_URL"], min_size=2, max_size=int(os.environ["FLOOR_POOL"]),
                    server_settings=READ_SETTINGS, max_inactive_connection_lifetime=0, max_cached_statement_lifetime=0,
                    init=_prepare, reset=_keep,
                )  # fmt: skip
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.pool.close()
                await send({"type": "lifespan.shutdown.complete"})
                return


async def _prepare(connection: Any) -> None:
    await connection.set_type_codec("json", schema="pg_catalog", format="binary", encoder=bytes, decoder=bytes)


async def _keep(_connection: Any) -> None:
    """Nothing to reset: a read leaves no state."""


def application() -> Floor:
    return Floor()


if __name__ == "__main__":
    count = int(os.environ["FLOOR_WORKERS"])
    uvicorn.run(
        "benchmarks.floor:application", factory=True, host="127.0.0.1", port=int(os.environ["FLOOR_PORT"]),
        workers=count if count > 1 else None, log_level="warning", access_log=False, server_header=False,
        date_header=True, timeout_keep_alive=30, timeout_graceful_shutdown=5,
    )  # fmt: skip
