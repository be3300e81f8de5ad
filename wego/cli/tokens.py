"""`wego token` and `wego query`: a token, and a request with it, for a person at a terminal.

Binding texts: RFC 7523, RFC 9449 (through `federation.client`), GraphQL over HTTP. A program's token is got from the
hub over HTTP, as a city's own program would; a person's token is issued on the server, against the database, and
audited. `--explain` asks nothing: it prints how the hub would answer. Exit codes of `query`: 0 the answer is whole,
1 it has errors or problems, 2 usage or network.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from wego.cli.base import OPERATOR, emit, fail, opened, run, settings
from wego.core.errors import Invalid
from wego.core.textfiles import decoded

if TYPE_CHECKING:
    import httpx2

    from federation.client import HubClient

Client = Annotated[Path | None, typer.Option("--client", help="Key file of a program, such as those of the demo.")]
PersonOption = Annotated[str, typer.Option("--person", help="E-mail address of a person; on the server only.")]
Scope = Annotated[str, typer.Option(help="Scopes, separated by spaces; left out: those that only read.")]

USAGE = 2
DEMO = "The demo writes key files to $WEGO_HOME/demo/clients/<city>.json."


app = typer.Typer()  # without a name: its commands stand beside those of the operator


@app.command()
def token(
    client: Client = None,
    person: PersonOption = "",
    scope: Scope = "",
    resource: Annotated[str, typer.Option(help="The resource to use it at; left out: the hub's GraphQL.")] = "",
) -> None:
    """Print a token with the key that it is bound to, as JSON. It is good for a few minutes."""
    if bool(client) == bool(person):
        fail("Say whose token: --client FILE, or --person E-MAIL.", DEMO, USAGE)
    if client is not None:
        emit(_program_token(client, scope, resource), True)
    elif scope or resource:
        fail("--scope and --resource are for programs: a person has the rights of his roles.", code=USAGE)
    else:
        emit(_person_token(person), True)


@app.command()
def query(
    text: Annotated[str, typer.Argument(metavar="[FILE|-|QUERY]", help="The operation, a file with it, or -.")] = "-",
    client: Client = None,
    person: PersonOption = "",
    anonymous: Annotated[bool, typer.Option("--anonymous", help="Ask without a token; the default.")] = False,
    locale: Annotated[str, typer.Option(help="Languages to read in, best first, such as ko or ko,en;q=0.5.")] = "",
    variables: Annotated[str, typer.Option(help="Variables as JSON.")] = "",
    scope: Annotated[str, typer.Option(help="Scopes of the token; left out: all of the key file.")] = "",
    explain: Annotated[
        bool, typer.Option("--explain", help="Do not ask: print the SQL that would answer, and its plan.")
    ] = False,
) -> None:
    """Ask the hub's GraphQL: token, proof and request in one. Prints the answer as JSON."""
    import orjson

    if sum((client is not None, bool(person), anonymous)) > 1:
        fail("Choose one of --client, --person and --anonymous.", code=USAGE)
    operation = _operation(text)
    try:
        given = orjson.loads(variables) if variables else {}
    except ValueError as problem:
        fail(f"--variables is not JSON: {problem}", 'Write it like \'{"slug": "seoul"}\'.', USAGE)
    if not isinstance(given, dict):
        fail("--variables must be a JSON object.", 'Write it like \'{"slug": "seoul"}\'.', USAGE)
    if explain:
        _explain(operation, given, client, person, locale)
        return
    answer = _ask(client, person, scope, locale, {"query": operation, "variables": given})
    emit(answer, True)
    if answer.get("errors") or _has_problems(answer.get("data")):
        raise typer.Exit(1)


def _explain(text: str, given: dict[str, Any], client: Path | None, person: str, locale: str) -> None:
    from wego.cli.explain import explain

    if client is not None:
        fail("Only what a person or nobody asks can be explained: use --person E-MAIL.", code=USAGE)
    explain(text, given, person=person, locale=locale)


def _operation(text: str) -> str:
    """The operation itself, from the argument, a file, or standard input."""
    if text == "-":
        if sys.stdin.isatty():
            fail("There is no query.", "Give it as text, as a file, or through standard input.", USAGE)
        return sys.stdin.read()
    if "{" in text:
        return text
    try:
        return decoded(Path(text).read_bytes())
    except (OSError, Invalid) as problem:
        fail(f"{text} is neither an operation nor a file that can be read: {problem}", code=USAGE)


def _ask(client: Path | None, person: str, scope: str, locale: str, body: dict[str, Any]) -> dict[str, Any]:
    import httpx2

    from federation.client import DPoP, HubError
    from federation.jose import jose

    url, auth = settings().resource, None
    if client is not None:
        hub = _hub_client(client)
        url, auth = hub.resource, hub.auth(scope or hub.scope)
    elif person:
        issued = _person_token(person)
        auth = DPoP(jose.private_key(issued["dpop_jwk"]), issued["access_token"])
    headers = {"Accept": "application/json", **({"Accept-Language": locale} if locale else {})}
    try:
        with httpx2.Client(timeout=60.0, auth=auth) as http:
            return _read_answer(http.post(url, json=body, headers=headers))
    except HubError as problem:
        _unreachable(str(problem))
    except (httpx2.HTTPError, httpx2.InvalidURL, UnicodeError) as problem:
        _unreachable(f"{url} cannot be asked: {problem}")


def _read_answer(response: httpx2.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        _unreachable(f"{response.url} answered {response.status_code} without JSON.")
    return answer


def _has_problems(data: Any) -> bool:
    fields = data.values() if isinstance(data, dict) else ()
    return any(isinstance(field, dict) and field.get("problems") for field in fields)


def _program_token(client: Path, scope: str, resource: str) -> dict[str, Any]:
    import httpx2

    from federation.client import HubError

    hub = _hub_client(client)
    try:
        return hub.token(scope, resource)
    except HubError as problem:
        _unreachable(str(problem))
    except (httpx2.HTTPError, httpx2.InvalidURL) as problem:
        _unreachable(f"{hub.issuer} cannot be asked: {problem}")


def _hub_client(client: Path) -> HubClient:
    from federation.client import HubClient, HubError

    try:
        return HubClient.from_file(client)
    except HubError as problem:
        fail(str(problem), DEMO, USAGE)


def _unreachable(message: str) -> NoReturn:
    fail(message, "Does the hub run there (`wego serve`)? WEGO_PORT and WEGO_PUBLIC_URL say where it is.", USAGE)


def _person_token(email: str) -> dict[str, Any]:
    from federation.jose.keys import open_keys
    from federation.oauth.tokens import issue_for_person

    async def issue() -> dict[str, Any]:
        knobs = settings()
        async with opened(knobs) as database:
            keys = await open_keys(knobs, database, watch=False)
            async with database.session() as db:
                return await issue_for_person(db, OPERATOR, knobs, keys.signing(), email)

    return run(issue())
