"""`wego programs`: which programs of a city may get tokens.

A program has no secret: the hub knows the public half of its key (RFC 7523). Whoever runs a program makes the key on
his own machine and sends the public half; `--new-key` makes both for who has nothing to make one with.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from federation.jose import jose
from federation.jose.keys import write_private
from federation.oauth import clients, documents
from members.register import organisations
from wego.api.hub import make_engine
from wego.cli.base import OPERATOR, Json, ask, fail, settings, text_of
from wego.core.db import Session
from wego.core.reads.documents import GraphQLErrors

app = typer.Typer(
    name="programs", no_args_is_help=True, help="Programs of cities: register them with their keys, revoke them."
)

City = Annotated[str, typer.Argument(help="The slug of the city, such as seoul.")]
Scopes = Annotated[list[str] | None, typer.Option("--scope", help="What it may ask for; repeatable.")]
Keys = Annotated[Path | None, typer.Option("--keys", help="Its public keys: a file with a JWK or a JWK Set.")]
NewKey = Annotated[Path | None, typer.Option("--new-key", help="Make a key, and write the program's key file here.")]


@app.command("list")
def list_programs(
    city: Annotated[str, typer.Option("--city", help="Only of this city.")] = "", as_json: Json = False
) -> None:
    """List programs, the newest first."""

    async def work(db: Session) -> Any:
        return await clients.listed(db, OPERATOR, (await organisations.by_slug(db, city)).id if city else None)

    ask(work, as_json)


@app.command()
def register(
    city: City,
    name: Annotated[str, typer.Option(help="What it is called.")],
    keys: Keys = None,
    new_key: NewKey = None,
    scope: Scopes = None,
    as_json: Json = False,
) -> None:
    """Register a program of a city; without --scope it may only read."""
    if bool(keys) == bool(new_key):
        fail("Say which key it has: --keys FILE, or --new-key FILE.", code=2)
    if new_key is not None and new_key.exists():
        fail(f"{new_key} is there already; a key is never written over.", "Choose another name.")
    made = jose.new_key() if new_key else None
    jwks = {"keys": [jose.public_jwk(made, kid=made.thumbprint())]} if made else _read(keys)
    issuer = settings().issuer

    async def work(db: Session) -> Any:
        found = await organisations.by_slug(db, city)
        scopes = scope or clients.DEFAULT_SCOPES
        client = await clients.register_client(db, OPERATOR, found, name, jwks, scopes=scopes)
        if made is not None and new_key is not None:
            try:  # before the commit: a program whose key is lost would be of no use
                write_private(new_key, clients.key_file(client, clients.private(made), issuer))
            except OSError as problem:
                fail(f"{new_key} cannot be written: {problem.strerror}", "The program was not registered.")
        return {"client_id": client.client_id, "city": city, "scope": " ".join(client.scopes)} | (
            {"key_file": str(new_key)} if new_key else {}
        )

    ask(work, as_json)


def _read(path: Path | None) -> dict[str, Any]:
    """A JWK Set, also where the file holds a single key."""
    assert path is not None
    try:
        given = json.loads(text_of(path))
    except ValueError as problem:
        fail(f"{path} cannot be read: {problem}", "It must hold a JWK or a JWK Set (RFC 7517).")
    if not isinstance(given, dict):
        fail(f"{path} does not hold a JWK or a JWK Set (RFC 7517).")
    jwks: dict[str, Any] = given if "keys" in given else {"keys": [given]}
    return jwks


@app.command("documents")
def register_documents(
    client_id: Annotated[str, typer.Argument(help="The client_id of the program.")],
    files: Annotated[
        list[Path] | None, typer.Argument(help="Documents (.graphql), or JSON files of hash and text.")
    ] = None,
    only: Annotated[bool | None, typer.Option("--only/--any", help="Whether it may run nothing else.")] = None,
    forget: Annotated[bool, typer.Option("--forget", help="Remove those it has first.")] = False,
    as_json: Json = False,
) -> None:
    """Register documents of a program, which it names by their SHA-256 hash from then on."""
    texts = [text for path in files or () for text in _documents(path)]
    library = make_engine(settings()).library
    for text in texts:
        try:
            library.check(text)
        except GraphQLErrors as wrong:
            fail(f"A document is not right: {wrong.errors[0].message}", text[:200])

    async def work(db: Session) -> Any:
        client = await clients.by_client_id(db, client_id)
        if forget:
            await documents.forget_all(db, OPERATOR, client)
        hashes = await documents.register(db, OPERATOR, client, texts, only=only)
        return [
            {"sha256": sha256, "document": " ".join(text.split())[:80]}
            for sha256, text in zip(hashes, texts, strict=True)
        ]

    ask(work, as_json)


def _documents(path: Path) -> list[str]:
    """The documents of a file: the text itself, or the values of a JSON object such as code generators write."""
    try:
        text = path.read_text("utf-8-sig")  # its line ends stay: the program hashes the document as it sends it
        return [str(value) for value in json.loads(text).values()] if path.suffix == ".json" else [text]
    except (OSError, ValueError, AttributeError) as problem:
        fail(f"{path} cannot be read: {problem}")


@app.command()
def revoke(
    client_id: Annotated[str, typer.Argument(help="The client_id of the program.")], as_json: Json = False
) -> None:
    """End a program: it gets no more tokens, and those that are out are refused at once."""

    async def work(db: Session) -> Any:
        client = await clients.by_client_id(db, client_id)
        after = await clients.revoke_client(db, OPERATOR, client.id)
        return {"client_id": client_id, "revoked_at": after.revoked_at}

    ask(work, as_json)
