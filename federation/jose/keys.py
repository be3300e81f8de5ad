"""The signing keys of the authorization server, and how they take turns.

Binding texts: RFC 7517 (JWK Set), federation.md 5.8. A key is published at least twice as long before its
first use as others may cache the JWK Set, signs for thirty days, and stays published until the last token
that it signed is over. Which key signs is a question of time, so every process gives the same answer without
being told.

The public half and the times are a row of `oauth_key`; the private half is a file of mode 0600 in
`<home>/keys` and nowhere else. Processes that start at once agree by an advisory lock: the second finds the
key of the first. When the private half is not here (a restored database, another machine), a new key is made;
the old public one stays until its own time is over, so no token is refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, or_, select, text, update
from sqlmodel import col

from federation.jose import jose
from federation.jose.models import OAuthKey
from members.people.people import touch_access
from wego.core import audit, files
from wego.core.access import Actor, system
from wego.core.audit import Event, Subject
from wego.core.db import Database, Session, is_away
from wego.core.ids import new_id
from wego.core.settings import Settings
from wego.core.statements import connect
from wego.core.tasks import ended
from wego.core.traces import traced

log = logging.getLogger(__name__)

CACHE = timedelta(minutes=10)  # how long others may keep the JWK Set
LEAD = 2 * CACHE  # from publishing a key to its first use
TURN = timedelta(days=30)  # how long a key signs
SKEW = timedelta(seconds=60)
CHANNEL = "wego_keys"  # every change of keys is told there at its commit, and heard by all processes at once
REFRESH_SECONDS, RECONNECT_SECONDS = 15.0, 0.5  # how soon a process learns of it that did not hear

_LOCK = text("SELECT pg_advisory_xact_lock(7219045530001)")  # any number that nobody else takes


@dataclass(frozen=True, slots=True)
class RingKey:
    """One key of the ring with its times; `private` is None where the private half is not on this machine."""

    kid: str
    public: jose.PublicKey
    private: jose.PublicKey | None
    published_at: datetime
    active_from: datetime
    retired_at: datetime | None

    def known(self, now: datetime) -> bool:
        return self.retired_at is None or now < self.retired_at


def folder(home: Path) -> Path:
    return home / "keys"


def _file(home: Path, kid: str) -> Path:
    return folder(home) / f"oauth-{kid}.json"


class KeyRing:
    """The keys as this process knows them; read anew as soon as another process changes them."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._home = settings.home
        self._database = database
        self._keys: dict[str, RingKey] = {}
        self._watch: asyncio.Task[None] | None = None

    def signing(self, now: datetime | None = None) -> RingKey:
        """The one key that signs now: the newest whose time has come and whose private half is here."""
        at = now or datetime.now(UTC)
        usable = [key for key in self._keys.values() if key.private is not None and key.known(at)]
        if not usable:
            raise LookupError("no signing key: call refresh() first")
        begun = [key for key in usable if key.active_from <= at]
        # A clock that was set back must not leave us without a key, hence the oldest as the last resort.
        return (
            max(begun, key=lambda key: (key.active_from, key.kid))
            if begun
            else min(usable, key=lambda key: (key.active_from, key.kid))
        )

    def public(self, kid: str, now: datetime | None = None) -> jose.PublicKey | None:
        """The public key of a kid, unless it is unknown or retired."""
        key = self._keys.get(kid)
        return key.public if key is not None and key.known(now or datetime.now(UTC)) else None

    def jwks(self, now: datetime | None = None) -> dict[str, Any]:
        """The JWK Set (RFC 7517 section 5): keys to come, the one that signs, and those of living tokens."""
        at = now or datetime.now(UTC)
        known = sorted((key for key in self._keys.values() if key.known(at)), key=lambda key: key.kid)
        return {"keys": [jose.public_jwk(key.public, kid=key.kid, use="sig", alg="ES256") for key in known]}

    async def refresh(self, now: datetime | None = None) -> None:
        """Read the keys anew; make one when none of them can sign here."""
        at = now or datetime.now(UTC)
        async with self._database.session() as db:
            await self._read(db, at)
        if not self._can_sign(at):
            async with self._database.session() as db:
                await db.execute(_LOCK)
                await self._read(db, at)
                if not self._can_sign(at):
                    if self._keys:
                        log.warning("No private half of a signing key is in %s: making a new key.", folder(self._home))
                    by = system("oauth")
                    await self._add(db, by, published_at=at, active_from=at, cause="first")
                    await self._read(db, at)

    def _can_sign(self, now: datetime) -> bool:
        return any(key.private is not None and key.known(now) for key in self._keys.values())

    async def _read(self, db: Session, now: datetime) -> None:
        wanted = or_(col(OAuthKey.retired_at).is_(None), col(OAuthKey.retired_at) > now - SKEW)
        rows = (await db.execute(select(OAuthKey).where(wanted))).scalars().all()
        self._keys = {row.kid: self._ring_key(row) for row in rows}

    def _ring_key(self, row: OAuthKey) -> RingKey:
        old = self._keys.get(row.kid)
        private = old.private if old and old.private else read_private(self._home, row.kid)
        public = old.public if old else jose.public_key(row.jwk)
        return RingKey(row.kid, public, private, row.published_at, row.active_from, row.retired_at)

    async def _add(
        self, db: Session, actor: Actor, *, published_at: datetime, active_from: datetime, cause: str
    ) -> str:
        key, kid = jose.new_key(), str(new_id())
        write_private(_file(self._home, kid), jose.private_jwk(key, kid=kid))
        row = {
            "kid": kid,
            "jwk": jose.public_jwk(key, kid=kid, use="sig", alg="ES256"),
            "published_at": published_at,
            "active_from": active_from,
        }
        await db.execute(insert(OAuthKey).values(**row))
        await db.execute(select(func.pg_notify(CHANNEL, "")))
        facts: dict[str, Any] = {"active_from": active_from.isoformat(), "cause": cause}
        await audit.record(db, actor, Event.KEY_ROTATED, Subject.TOKEN_KEY, UUID(kid), **facts)
        return kid

    async def rotate(
        self, now: datetime | None = None, *, actor: Actor | None = None, lead: timedelta = LEAD
    ) -> str | None:
        """Publish the next key and say when the present ones end; None when the next one is published
        already."""
        at = now or datetime.now(UTC)
        active_from = at + lead
        end = active_from + timedelta(seconds=self._settings.token_seconds) + SKEW
        async with self._database.session() as db:
            await db.execute(_LOCK)
            coming = select(col(OAuthKey.kid)).where(col(OAuthKey.active_from) > at)
            if (await db.execute(coming)).first() is not None:
                return None
            present = update(OAuthKey).where(col(OAuthKey.retired_at).is_(None))
            await db.execute(present.values(retired_at=end))
            by = actor or system("oauth")
            kid = await self._add(db, by, published_at=at, active_from=active_from, cause="turn")
        await self.refresh(at)
        return kid

    async def rotate_when_due(self, now: datetime | None = None) -> str | None:
        """Rotate so that the next key is ready when the turn of the present one ends."""
        at = now or datetime.now(UTC)
        newest = max((key.active_from for key in self._keys.values() if key.known(at)), default=at)
        return await self.rotate(at) if at + LEAD >= newest + TURN else None

    async def replace_all(self, now: datetime | None = None, *, actor: Actor | None = None) -> str:
        """The emergency: drop every key at once, sign with a new one, and raise the access epoch. Tokens that
        are out are refused from now on; programs get new ones by themselves."""
        at = now or datetime.now(UTC)
        async with self._database.session() as db:
            await db.execute(_LOCK)
            await db.execute(delete(OAuthKey).where(col(OAuthKey.active_from) >= at))
            alive = or_(col(OAuthKey.retired_at).is_(None), col(OAuthKey.retired_at) > at)
            await db.execute(update(OAuthKey).where(alive).values(retired_at=at))
            by = actor or system("oauth")
            kid = await self._add(db, by, published_at=at, active_from=at, cause="emergency")
            await touch_access(db)
        await self.refresh(at)
        return kid

    async def forget_retired(self, now: datetime | None = None) -> int:
        """Remove private halves that nothing needs any more, also those whose row was never committed."""
        at = (now or datetime.now(UTC)) - timedelta(days=1)
        async with self._database.session() as db:
            retired = await db.execute(select(col(OAuthKey.kid), col(OAuthKey.retired_at)))
            alive = {kid for kid, end in retired.all() if end is None or end > at}
        gone = [
            path
            for path in folder(self._home).glob("oauth-*.json")
            if path.stem.removeprefix("oauth-") not in alive and path.stat().st_mtime < at.timestamp()
        ]
        for path in gone:
            path.unlink(missing_ok=True)
        return len(gone)

    def watch(self) -> None:
        """Keep the ring fresh until `close`."""
        self._watch = asyncio.create_task(self._refresh_forever(), name="oauth keys")

    async def _refresh_forever(self) -> None:
        while True:
            try:
                await self._listen()
            except Exception as problem:
                # The database may be away for a while; what is known stays good, the next round tells more.
                told = type(problem).__name__ if is_away(problem) else traced(problem)
                log.warning("The signing keys could not be refreshed: %s", told)
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _listen(self) -> None:
        """Read the keys whenever somebody says that they changed, on a connection that no reader can keep busy."""
        connection = await connect(self._database.url, {"application_name": "wego keys"})
        told = asyncio.Event()
        connection.add_termination_listener(lambda _: told.set())
        try:
            await connection.add_listener(CHANNEL, lambda *_: told.set())
            while not connection.is_closed():
                told.clear()
                await self.refresh()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(REFRESH_SECONDS):
                        await told.wait()
        finally:
            await connection.close(timeout=1)

    async def close(self) -> None:
        if self._watch is not None:
            await ended(self._watch)
            self._watch = None


async def open_keys(settings: Settings, database: Database, *, watch: bool = True) -> KeyRing:
    """The ring of this process, ready to sign; `close` it before the database."""
    ring = KeyRing(settings, database)
    await ring.refresh()
    if watch:
        ring.watch()
    return ring


def write_private(path: Path, jwk: dict[str, Any]) -> None:
    """Write a private key so that nobody else ever could read it, and so that it is there after a crash."""
    files.write_private(path, json.dumps(jwk).encode())


def read_private(home: Path, kid: str) -> jose.PublicKey | None:
    """The private half of a key, or None when it is not here."""
    path = _file(home, kid)
    try:
        if path.stat().st_mode & 0o077:
            log.warning("%s could be read by others: making it private.", path)
            path.chmod(0o600)
        return jose.private_key(json.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as problem:
        log.warning("The private key %s cannot be read: %s", path, type(problem).__name__)
        return None
