"""What a registered program can do to the others, with tokens and proofs that are good (issue 6, section 2)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.abuse.attacks import ask_once, asks, attack
from benchmarks.abuse.wire import Attacker, graphql, request
from federation.client import HubClient, proof
from federation.jose import jose
from practices.cases.narrative import BUDGETS

EXPENSIVE = (
    "{problems{code message} practice{slug versions{number} title{text} summary{text}"
    " city{practices(first:50){totalCount nodes{title{text} summary{text} sections{body{text}} city{name{text}}}}}}}"
)
PROBLEMS = "{problems{code}}"
RENEWED = 200.0  # seconds
SCOPE = "graphql:query graphql:mutate catalog:read catalog:write"


class Program:
    """One of the demonstration's programs, with a token that is renewed."""

    def __init__(self, one: Attacker) -> None:
        files = sorted((one.home / "demo" / "clients").glob("*.json"))
        self.city = files[one.number % len(files)].stem
        self._client = HubClient(json.loads(files[one.number % len(files)].read_text()))
        self._token = ""
        self._until = 0.0
        self._key = jose.new_key()

    async def headers(self) -> Mapping[str, str]:
        now = asyncio.get_running_loop().time()
        if now > self._until:
            self._token = (await asyncio.to_thread(self._client.token, SCOPE, key=self._key))["access_token"]
            self._until = now + RENEWED
        fresh = proof(self._key, "POST", self._client.resource, self._token)
        return {"authorization": f"DPoP {self._token}", "dpop": fresh}


def signed(name: str, words: str, attackers: int = 20) -> Callable[[Callable[[Attacker, Program], Any]], None]:
    """Like `asks`, with a token: the function gives the query, and the variables beside it."""

    def register(make: Callable[[Attacker, Program], Any]) -> None:
        async def run(one: Attacker) -> None:
            program, line = Program(one), one.line()
            while not one.over:
                try:
                    headers = await program.headers()
                except Exception as error:  # no token: the hub was too slow, or is guarding itself
                    one.seen[f"no token: {type(error).__name__}"] += 1
                    await one.rest(0.5)
                    continue
                query, variables = make(one, program)
                await ask_once(one, line.ask, graphql(query, variables, headers))
            line.close()

        attack(name, words, attackers)(run)

    return register


def _draft(program: Program, title: str, **more: Any) -> dict[str, Any]:
    return {"i": {"city": program.city, "originalLocale": "en", "title": title, "summary": "A summary.", **more}}


CREATE = "mutation($i:CreatePracticeInput!){createPractice(input:$i)%s}"


@signed("create-expensive", "createPractice with a payload that reads the whole city, nine at once", attackers=9)
def _expensive(one: Attacker, program: Program) -> Any:
    fields = " ".join(
        f"p{each}:practice{EXPENSIVE[len('{problems{code message} practice') : -1]}" for each in range(20)
    )
    return CREATE % f"{{problems{{code}} {fields}}}", _draft(program, f"Abuse {one.unique()}")


@signed("create-plain", "createPractice as fast as it goes, nine at once", attackers=9)
def _plain(one: Attacker, program: Program) -> Any:
    return CREATE % PROBLEMS, _draft(program, f"Abuse {one.unique()}")


@signed("markdown-images", "twelve sections of `![`", attackers=4)
def _images(one: Attacker, program: Program) -> Any:
    sections = [{"key": key, "heading": "Section", "body": "![" * 5_000} for key in list(BUDGETS)]
    return CREATE % PROBLEMS, _draft(program, f"Abuse {one.unique()}", sections=sections)


@signed("markdown-nested", "quotes in lists in quotes, emphasis that never ends, links in links", attackers=4)
def _markdown(one: Attacker, program: Program) -> Any:
    texts = ("> " * 3_000 + "x", "* " * 3_000 + "x", "*a_" * 3_000, "[" * 9_000, "`" * 9_000, "<" * 9_000, "&" * 9_000)
    sections = [{"key": key, "heading": "Section", "body": text} for key, text in zip(BUDGETS, texts, strict=False)]
    return CREATE % PROBLEMS, _draft(program, f"Abuse {one.unique()}", sections=sections)


@signed("mutations-aliased", "100 aliased mutations in one request", attackers=4)
def _aliased(one: Attacker, program: Program) -> Any:
    fields = " ".join(f"a{each}:createPractice(input:$i){PROBLEMS}" for each in range(100))
    return f"mutation($i:CreatePracticeInput!){{{fields}}}", _draft(program, f"Abuse {one.unique()}")


@signed("reads-signed", "reads of a program without pause, each another document")
def _reads(one: Attacker, program: Program) -> Any:
    return (
        f"query Q{one.unique()}{{practices(first:50){{totalCount nodes{{title{{text}} city{{name{{text}}}}}}}}}}",
        None,
    )


@signed("contains-signed", "titleContains under 100 aliases, by programs")
def _contains(one: Attacker, program: Program) -> Any:
    asked = " ".join(
        f'a{each}:practices(first:10,filter:{{titleContains:"a{each % 9}"}}){{totalCount}}' for each in range(100)
    )
    return f"query Q{one.unique()}{{{asked}}}", None


@attack("tokens-flood", "a program that asks for tokens without pause", attackers=20)
async def _tokens(one: Attacker) -> None:
    from benchmarks.abuse.witnesses import token_request

    files = sorted((one.home / "demo" / "clients").glob("*.json"))
    registration = json.loads(files[one.number % len(files)].read_text())
    line, key = one.line(), jose.new_key()
    while not one.over:
        await ask_once(one, line.ask, token_request(registration, key))
    line.close()


@attack("proofs-forged", "a good token with proofs that are not", attackers=20)
async def _forged(one: Attacker) -> None:
    program, line, other = Program(one), one.line(), jose.new_key()
    while not one.over:
        try:
            headers = dict(await program.headers())
        except Exception as error:  # as above
            one.seen[f"no token: {type(error).__name__}"] += 1
            await one.rest(0.5)
            continue
        headers["dpop"] = proof(other, "POST", "https://elsewhere.example/graphql")
        await ask_once(one, line.ask, graphql("{__typename}", headers=headers))
    line.close()


@asks("idempotency-distinct", "keys for repeats by somebody without a token, each another")
def _keys(one: Attacker) -> bytes:
    query = 'mutation{suspendMember(input:{city:"seoul",reason:"x"}){problems{code}}}'
    return request("POST", "/graphql", json.dumps({"query": query}).encode(), {"idempotency-key": one.unique() * 20})
