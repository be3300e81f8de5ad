"""The operations of one request, answered one after another: with one proof, one budget of cost, one statement each.

The first statement that runs asks the gate as well: is the proof unused, does the token live, are rights the same? What
the gate refuses ends the request before anything of the answer leaves.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from graphql import GraphQLError, OperationType

from federation.jose.proofs import TokenError
from federation.oauth.gate import admit, gate_of
from federation.oauth.verifier import challenge
from i18n.language.locales import wished
from wego.api.hub import Hub
from wego.api.request import HTTPProblem, Params, Request, plain
from wego.api.results import Ready, Result
from wego.core.access import NOBODY, Actor
from wego.core.errors import CostExceeded, NotAllowed, NotSignedIn, Refusal
from wego.core.rates import Purpose, caller_of
from wego.core.reads.documents import GraphQLErrors
from wego.core.reads.plans import Operation, Prepared
from wego.core.writes import Repeat
from wego.problems import errors_of, graphql_errors

GUESSING = frozenset({"acceptInvitation"})  # mutations with a secret that somebody could guess
WHOLE = frozenset({401, 429, 503})  # statuses that are told of the request, whatever the client accepts


class Execution:
    """One request being answered. The gate is asked by its first statement, and then it is None."""

    def __init__(self, hub: Hub, request: Request) -> None:
        self.hub, self.request = hub, request
        self.actor = request.actor
        self.gate = gate_of(request.credential) if request.credential else None
        self.spent = self.answered = 0

    async def repeat(self, ready: Ready) -> list[Result] | None:
        """Run the statements of a request that came before. None when it has to be made anew: a plan was forgotten, or
        the actor is another one as of now; it is compiled for him, never for who he was when the token was read."""
        plans = ready.plans() if ready.actor is self.actor else None
        if plans is None:
            return None
        self.hub.rates.take(Purpose.COST, self.request.caller, sum(plan.cost for plan in plans))
        results = []
        for plan, part in zip(plans, ready.parts, strict=True):
            gate, self.gate = self.gate, None
            data, said = await self.hub.engine.again(self.hub.database.reads, plan, part, self.actor, gate)
            if said is not None and await self.admit(said) is not ready.actor:
                return None
            results.append(self._told(data, part))
        return results

    async def answer(self, params: Params) -> Result:
        """One operation. What ends the whole request is raised as a Refusal or an HTTPProblem."""
        try:
            result = await self._answer(params)
        except GraphQLErrors as wrong:
            result = self._wrong(wrong.errors)
        except GraphQLError as wrong:
            result = self._wrong([wrong])
        except Refusal as refusal:
            if refusal.status in WHOLE and not self.answered:
                raise
            status = refusal.status if self.request.strict else 200
            result = Result(orjson.dumps({"errors": errors_of(refusal, self.request.locale)}), status)
        self.answered += 1
        return result

    def _wrong(self, errors: list[GraphQLError]) -> Result:
        body = orjson.dumps({"errors": graphql_errors(errors, self.request.locale)})
        return Result(body, 400 if self.request.strict else 200)

    async def _answer(self, params: Params) -> Result:
        operation = await self._operation(params)
        if operation.kind is OperationType.MUTATION:
            return Result(await self._mutate(operation))
        check_scope(self.actor, "graphql:query")
        return await self._read(operation)

    async def _operation(self, params: Params) -> Operation:
        text, hub, credential = params.query, self.hub, self.request.credential
        if params.sha256 and not text:
            text = await hub.persisted.find(params.sha256, credential)
        if credential is not None:
            await hub.persisted.require(text, credential)
        if hub.engine.library.known(text) is None:  # to parse and validate costs about as much for each character
            hub.rates.take(Purpose.COST, self.request.caller, len(text))
        document = await hub.engine.load(text)
        if params.sha256 and params.query:
            hub.persisted.remember(text, params.sha256)
        return hub.engine.operation(document, params.operation_name, params.variables)

    def spend(self, cost: int) -> None:
        """Refuse what is over the limit of a request, or over what the caller may spend in a minute."""
        self.spent += cost
        if self.spent > self.hub.engine.limits.cost:
            raise CostExceeded(
                "The operation asks for more than {limit} objects; ask for smaller pages.",
                limit=self.hub.engine.limits.cost,
            )
        self.hub.rates.take(Purpose.COST, self.request.caller, cost)

    async def _read(self, operation: Operation) -> Result:
        engine, reads, request = self.hub.engine, self.hub.database.reads, self.request
        run = engine.run_of(operation, self.actor, wished(None, request.accept_language, self.actor.locale))
        self.spend((await engine.ready(operation, run)).cost)
        gate, self.gate = self.gate, None
        answer = await engine.query(reads, operation, run, self.hub, gate)
        if gate is not None and answer.gate is not None:
            now = await self.admit(answer.gate)
            if now is not run.actor:
                run = engine.run_of(operation, now, wished(None, request.accept_language, now.locale))
                check_scope(now, "graphql:query")
                answer = await engine.query(reads, operation, run, self.hub, None)
        if answer.errors:
            wrong = orjson.dumps(graphql_errors(answer.errors, request.locale))
            return Result(b'{"data":%s,"errors":%s}' % (answer.data, wrong))
        return self._told(answer.data, engine.prepare(operation, run))

    def _told(self, data: bytes, prepared: Prepared | None) -> Result:
        """The answer to a query without errors."""
        return Result(b'{"data":%s}' % data, 200, prepared, is_public=self.request.credential is None)

    async def _mutate(self, operation: Operation) -> bytes:
        hub, request = self.hub, self.request
        if request.method != "POST":
            raise HTTPProblem(405, [plain("Mutations need POST.")], ((b"allow", b"POST"),))
        request.sender.release()
        gate, self.gate = self.gate, None
        if gate is not None:
            await self.admit(await hub.engine.check(hub.database.reads, gate))
        check_scope(self.actor, "graphql:mutate")
        run = hub.engine.run_of(operation, self.actor, wished(None, request.accept_language, self.actor.locale))
        selected = await hub.engine.selections(operation, run)
        hub.rates.take(Purpose.MUTATION, request.caller, max(1, len(selected)))
        tries = sum(each.name in GUESSING for each in selected.values())
        if tries:
            hub.rates.take(Purpose.INVITATION, caller_of(NOBODY, request.address), tries)
        self.spend(sum(each.cost for each in selected.values()))
        data = await hub.writer.mutate(operation, run, request.locale, self._repeat(), selected=selected)
        hub.answers.clear()
        return b'{"data":%s}' % data

    def _repeat(self) -> Repeat | None:
        key = self.request.header(b"idempotency-key")
        if key is None:
            return None
        return Repeat.of(self.actor, key, self.request.body, self.answered)

    async def admit(self, said: Mapping[str, Any]) -> Actor:
        """The actor as of now, by what the gate said: the proof was unused, the token lives, rights are the same."""
        credential = self.request.credential
        assert credential is not None, "a gate belongs to a credential"
        try:
            self.actor = await admit(self.hub.database, credential, said)
        except TokenError as problem:
            raise refuse_token(self.hub, problem, self.request) from None
        return self.actor


def refuse_token(hub: Hub, problem: TokenError, request: Request) -> HTTPProblem:
    """401 (or what the problem says) with the challenge of RFC 9449. Whoever guesses is slowed down by his address."""
    for purpose in (Purpose.REQUEST, Purpose.GUESS):
        hub.rates.take(purpose, f"ip:{request.address}")
    errors = errors_of(NotSignedIn("The token or its proof is not good; get a new one."), request.locale)
    errors[0]["extensions"]["oauth"] = problem.error
    headers = ((b"www-authenticate", challenge(hub.settings, problem).encode()), (b"cache-control", b"no-store"))
    return HTTPProblem(problem.status, errors, headers)


def check_scope(actor: Actor, scope: str) -> None:
    if actor.scopes is not None and scope not in actor.scopes:
        raise NotAllowed("The token lacks the scope {scope}.", scope=scope)
