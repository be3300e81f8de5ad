"""The attack list, parts C, T and D, as one table: each is refused with its status and code, and nothing changes.

Binding text: design/attacks.md. An attack prepares what it needs (a token to steal, a proof to replay) and returns the
request; the table says the answer. After it, every table of the database is as it was before the request.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from federation_make import (
    ISSUER,
    RESOURCE,
    TOKEN_URL,
    Caller,
    Station,
    forged,
    make_caller,
    make_program,
)
from joserfc.jwk import ECKey, OKPKey

from federation.jose import jose
from members.register.models import Organisation


@dataclass
class World:
    """A hub, a program that means well, one of another city, and one with an Ed25519 key."""

    station: Station
    caller: Caller
    other: Caller
    ed: Caller


Sent = dict[str, Any]
Attack = Callable[[World], Awaitable[Sent]]
TABLE: list[Any] = []


def attack(part: str, name: str, status: int, error: str) -> Callable[[Attack], Attack]:
    def add(send: Attack) -> Attack:
        TABLE.append(pytest.param(send, status, error, id=f"{part}: {name}"))
        return send

    return add


def at_token(caller: Caller, *, proof: str | None = None, headers: Any = None, **form: Any) -> Sent:
    sent = {"DPoP": caller.proof() if proof is None else proof, **(headers or {})}
    return {"url": "/oauth/token", "data": caller.form(**form), "headers": sent}


def raw_form(caller: Caller, *more: tuple[str, str], **form: Any) -> Sent:
    body = urlencode([*caller.form(**form).items(), *more])
    kind = {"Content-Type": "application/x-www-form-urlencoded", "DPoP": caller.proof()}
    return {"url": "/oauth/token", "content": body, "headers": kind}


def at_resource(token: str, proof: str | None, scheme: str = "DPoP", url: str = "/graphql") -> Sent:
    headers = {"Authorization": f"{scheme} {token}", **({"DPoP": proof} if proof is not None else {})}
    return {"url": url, "headers": headers}


# C: client authentication. Most differ in one part of an assertion that is good otherwise.


def bad_assertion(name: str, make: Callable[[Caller], str], error: str = "invalid_client", status: int = 400) -> None:
    @attack("C", name, status, error)
    async def _(w: World) -> Sent:
        return at_token(w.caller, client_assertion=make(w.caller))


def hs256(caller: Caller) -> str:
    public = json.dumps(jose.public_jwk(caller.key)).encode()
    head = jose.encode64(json.dumps(caller.header(alg="HS256")).encode())
    body = jose.encode64(json.dumps(caller.claims()).encode())
    mac = hmac.new(public, f"{head}.{body}".encode(), hashlib.sha256).digest()
    return f"{head}.{body}.{jose.encode64(mac)}"


def rs256(caller: Caller) -> str:
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    token = forged(caller.header(alg="RS256"), caller.claims())
    signing, _, _ = token.rpartition(".")
    signature = weak.sign(signing.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{signing}.{jose.encode64(signature)}"


def p384(caller: Caller) -> str:
    token = forged(caller.header(), caller.claims())
    signing, _, _ = token.rpartition(".")
    signature = jose.jws.JWSRegistry.algorithms["ES384"].sign(signing.encode(), ECKey.generate_key("P-384"))
    return f"{signing}.{jose.encode64(signature)}"


def twice_named(caller: Caller) -> str:
    text = json.dumps(caller.claims())
    return forged(caller.header(), (text[:-1] + f', "sub": "{caller.client_id}"' + "}").encode(), caller.key)


NOW = time.time
DEEP = b'{"sub":' + b"[" * 2500 + b"]" * 2500 + b"}"

bad_assertion("alg none", lambda c: forged(c.header(alg="none"), c.claims(), signature=b"") + "")
bad_assertion("alg none with a signature", lambda c: forged(c.header(alg="none"), c.claims()))
bad_assertion("alg nOnE", lambda c: forged(c.header(alg="nOnE"), c.claims()))
bad_assertion("alg missing", lambda c: c.assertion(header={"alg": None}))
bad_assertion("alg is a list", lambda c: c.assertion(header={"alg": ["ES256"]}))
bad_assertion("HS256 with the public key as secret", hs256)
bad_assertion("ES256 with a P-384 key", p384)
bad_assertion("RS256 with a weak key", rs256)
bad_assertion("EdDSA without a curve", lambda c: c.assertion(header={"alg": "EdDSA"}))
bad_assertion("Ed25519 named, ES256 signed", lambda c: c.assertion(header={"alg": "Ed25519"}))
bad_assertion("unknown kid", lambda c: c.assertion(header={"kid": "unknown"}))
bad_assertion("missing kid", lambda c: c.assertion(header={"kid": None}))
bad_assertion("empty kid", lambda c: c.assertion(header={"kid": ""}))
bad_assertion("kid is a number", lambda c: c.assertion(header={"kid": 7}))
for odd in ("../../etc/passwd", "x' OR '1'='1", "é한", 'a"b\\', "\x00", "\ud800", "k" * 2000):
    bad_assertion(f"kid {odd[:12]!a}", lambda c, odd=odd: c.assertion(header={"kid": odd}))
for name, value in {
    "jku": "https://evil.example/jwks",
    "x5u": "https://evil.example/cert",
    "jwk": jose.public_jwk(jose.new_key()),
    "x5c": ["AAAA"],
    "crit": ["exp"],
    "b64": False,
}.items():
    bad_assertion(f"{name} header", lambda c, name=name, value=value: c.assertion(header={name: value}))
bad_assertion("crit is a number", lambda c: c.assertion(header={"crit": 5}))
bad_assertion("a key of one's own in jwk", lambda c: c.assertion(jose.new_key(), {"jwk": jose.public_jwk(c.key)}))
bad_assertion("aud is the token endpoint", lambda c: c.assertion(aud=TOKEN_URL))
bad_assertion("aud is a list with another", lambda c: c.assertion(aud=[ISSUER, "https://other.example"]))
bad_assertion("aud is a list of one", lambda c: c.assertion(aud=[ISSUER]))
bad_assertion("aud of another server", lambda c: c.assertion(aud="https://other.example"))
bad_assertion("aud with a slash", lambda c: c.assertion(aud=ISSUER + "/"))
bad_assertion("aud missing", lambda c: c.assertion(aud=None))
for kind in ("at+jwt", "application/at+jwt", "dpop+jwt", "entity-statement+jwt", "AT+JWT", "x", " JWT"):
    bad_assertion(f"typ {kind}", lambda c, kind=kind: c.assertion(header={"typ": kind}))
bad_assertion("typ is a list", lambda c: c.assertion(header={"typ": ["JWT"]}))
bad_assertion("iss is not sub", lambda c: c.assertion(iss="another"))
bad_assertion("iss missing", lambda c: c.assertion(iss=None))
bad_assertion("iss is a list", lambda c: c.assertion(iss=[c.client_id]))
bad_assertion("sub is a list", lambda c: c.assertion(sub=[c.client_id]))
bad_assertion("sub is an object", lambda c: c.assertion(sub={"a": 1}))
bad_assertion("sub missing", lambda c: c.assertion(sub=None))
bad_assertion("sub with NUL", lambda c: c.assertion(sub="a\x00b", iss="a\x00b"))
bad_assertion("sub with a lone surrogate", lambda c: c.assertion(sub="\ud800", iss="\ud800"))
bad_assertion("sub is SQL", lambda c: c.assertion(sub="' OR 1=1 --", iss="' OR 1=1 --"))
bad_assertion("lives 10 years", lambda c: c.assertion(exp=int(NOW()) + 315360000))
bad_assertion("lives 130 s", lambda c: c.assertion(exp=int(NOW()) + 130))
bad_assertion("lived before iat", lambda c: c.assertion(iat=int(NOW()) - 100, exp=int(NOW()) + 30))
bad_assertion("expired", lambda c: c.assertion(iat=int(NOW()) - 60, exp=int(NOW()) - 1))
bad_assertion("exp missing", lambda c: c.assertion(exp=None))
bad_assertion("exp is a text", lambda c: c.assertion(exp=str(int(NOW()) + 60)))
bad_assertion("exp is true", lambda c: c.assertion(exp=True))
bad_assertion("exp is huge", lambda c: c.assertion(exp=10**400))
bad_assertion("exp is NaN", lambda c: c.assertion(exp=float("nan")))
bad_assertion("iat missing", lambda c: c.assertion(iat=None))
bad_assertion("iat in the future", lambda c: c.assertion(iat=int(NOW()) + 20, exp=int(NOW()) + 60))
bad_assertion("nbf in the future", lambda c: c.assertion(nbf=int(NOW()) + 20))
bad_assertion("jti missing", lambda c: c.assertion(jti=None))
bad_assertion("jti empty", lambda c: c.assertion(jti=""))
bad_assertion("jti of 2 kB", lambda c: c.assertion(jti="j" * 2048))
bad_assertion("jti is a number", lambda c: c.assertion(jti=7))
bad_assertion("jti is not ASCII", lambda c: c.assertion(jti="서울"))
bad_assertion("sub named twice", twice_named)
bad_assertion("signed by a stranger", lambda c: c.assertion(jose.new_key()))
bad_assertion("signed by the federation's key", lambda c: c.assertion(jose.new_key(), {"kid": "federation"}))
bad_assertion("unsigned", lambda c: c.assertion().rpartition(".")[0] + ".")
bad_assertion("two parts", lambda c: c.assertion().rpartition(".")[0])
bad_assertion("five parts", lambda c: c.assertion() + ".a.b")
bad_assertion("not ASCII", lambda c: c.assertion() + "é")
bad_assertion("padding", lambda c: c.assertion() + "==")
bad_assertion("a space", lambda c: c.assertion() + " ")
bad_assertion("deeply nested", lambda c: forged(c.header(), DEEP, c.key))
bad_assertion("payload is a list", lambda c: forged(c.header(), ["sub"], c.key))
bad_assertion("header is a list", lambda c: forged(["alg", "kid"], c.claims()))  # type: ignore[arg-type]  # an attack
bad_assertion("payload is no JSON", lambda c: forged(c.header(), b"\xff\xfe", c.key))
bad_assertion("a JSON serialisation", lambda c: json.dumps({"payload": "e30", "signatures": []}))
bad_assertion("too long", lambda c: c.assertion(more="x" * 9000))


@attack("C", "an unknown program", 400, "invalid_client")
async def _(w: World) -> Sent:
    return at_token(Caller("nobody", w.caller.key, w.caller.kid, w.caller.city_id, w.caller.row))


@attack("C", "the key of another program", 400, "invalid_client")
async def _(w: World) -> Sent:
    return at_token(w.caller, client_assertion=w.caller.assertion(w.other.key, {"kid": w.other.kid}))


@attack("C", "client_id of another program", 400, "invalid_client")
async def _(w: World) -> Sent:
    return at_token(w.caller, client_id=w.other.client_id)


@attack("C", "no assertion", 400, "invalid_client")
async def _(w: World) -> Sent:
    return at_token(w.caller, client_assertion=None, client_id=w.caller.client_id)


@attack("C", "another assertion type", 400, "invalid_client")
async def _(w: World) -> Sent:
    return at_token(w.caller, client_assertion_type="urn:ietf:params:oauth:client-assertion-type:saml2-bearer")


@attack("C", "assertion and client_secret", 400, "invalid_request")
async def _(w: World) -> Sent:
    return at_token(w.caller, client_secret="secret")


@attack("C", "only client_secret", 400, "invalid_client")
async def _(w: World) -> Sent:
    return at_token(w.caller, client_secret="s", client_id=w.caller.client_id, client_assertion=None)


@attack("C", "assertion and Basic", 400, "invalid_request")
async def _(w: World) -> Sent:
    basic = base64.b64encode(f"{w.caller.client_id}:x".encode()).decode()
    return at_token(w.caller, headers={"Authorization": f"Basic {basic}"})


@attack("C", "only Basic", 401, "invalid_client")
async def _(w: World) -> Sent:
    return at_token(w.caller, client_assertion=None, headers={"Authorization": "Basic eDp5"})


for doubled in ("client_assertion", "scope", "grant_type", "client_id"):

    @attack("C", f"{doubled} sent twice", 400, "invalid_request")
    async def _(w: World, doubled: str = doubled) -> Sent:
        usual = {**w.caller.form(), "scope": "graphql:query", "client_id": w.caller.client_id}
        return raw_form(w.caller, (doubled, usual[doubled]), scope=usual["scope"], client_id=usual["client_id"])


@attack("C", "the same assertion again", 400, "invalid_client")
async def _(w: World) -> Sent:
    form = w.caller.form()
    first = await w.station.http.post("/oauth/token", data=form, headers={"DPoP": w.caller.proof()})
    assert first.status_code == 200
    return {"url": "/oauth/token", "data": form, "headers": {"DPoP": w.caller.proof()}}


@attack("C", "an assertion that was used at /oauth/introspect", 400, "invalid_client")
async def _(w: World) -> Sent:
    form = {**w.caller.form(), "token": "x"}
    assert (await w.station.http.post("/oauth/introspect", data=form)).json() == {"active": False}
    return at_token(w.caller, client_assertion=form["client_assertion"])


@attack("C", "another grant", 400, "unsupported_grant_type")
async def _(w: World) -> Sent:
    return at_token(w.caller, grant_type="password")


@attack("C", "a grant with quotes and letters", 400, "unsupported_grant_type")
async def _(w: World) -> Sent:
    return at_token(w.caller, grant_type='é"\\')


@attack("C", "no grant", 400, "unsupported_grant_type")
async def _(w: World) -> Sent:
    return at_token(w.caller, grant_type=None)


@attack("C", "a refresh token", 400, "unsupported_grant_type")
async def _(w: World) -> Sent:
    return at_token(w.caller, grant_type="refresh_token", refresh_token="x")


@attack("C", "an authorization code", 400, "unsupported_grant_type")
async def _(w: World) -> Sent:
    return at_token(w.caller, grant_type="authorization_code", code="x")


@attack("C", "a token exchange", 400, "unsupported_grant_type")
async def _(w: World) -> Sent:
    kind = "urn:ietf:params:oauth:grant-type:token-exchange"
    return at_token(w.caller, grant_type=kind, subject_token=await w.other.token(w.station))


@attack("C", "parameters in the address", 400, "invalid_request")
async def _(w: World) -> Sent:
    return {**at_token(w.caller), "url": "/oauth/token?scope=graphql:query"}


@attack("C", "JSON instead of a form", 400, "invalid_request")
async def _(w: World) -> Sent:
    return {"url": "/oauth/token", "json": w.caller.form(), "headers": {"DPoP": w.caller.proof()}}


@attack("C", "a body that is too large", 413, "invalid_request")
async def _(w: World) -> Sent:
    return at_token(w.caller, more="x" * 40_000)


@attack("C", "too many parameters", 400, "invalid_request")
async def _(w: World) -> Sent:
    return at_token(w.caller, **{f"p{n}": "x" for n in range(40)})


@attack("C", "a body that is no UTF-8", 400, "invalid_request")
async def _(w: World) -> Sent:
    return {**raw_form(w.caller), "content": b"grant_type=%ff%fe"}


@attack("C", "an empty body", 400, "invalid_client")
async def _(w: World) -> Sent:
    return {**raw_form(w.caller), "content": b""}


# T: tokens, first how they are asked for, then how they are shown.


for wished in ("audit:read", "graphql:query admin:all", "graphql:query  catalog:read", "GRAPHQL:QUERY", "*", "é", '"'):

    @attack("T", f"scope {wished!a}", 400, "invalid_scope")
    async def _(w: World, wished: str = wished) -> Sent:
        return at_token(w.caller, scope=wished)


for target in ("https://other.example/graphql", ISSUER, RESOURCE + "/", "graphql", RESOURCE.upper(), "é\x00"):

    @attack("T", f"resource {target!a}", 400, "invalid_target")
    async def _(w: World, target: str = target) -> Sent:
        return at_token(w.caller, resource=target)


@attack("T", "two resources", 400, "invalid_target")
async def _(w: World) -> Sent:
    return raw_form(w.caller, ("resource", "https://other.example"))


@attack("T", "the same resource twice", 400, "invalid_target")
async def _(w: World) -> Sent:
    return raw_form(w.caller, ("resource", RESOURCE))


def bad_token(name: str, change: Callable[[dict[str, Any], dict[str, Any]], Any], *, foreign: bool = False) -> None:
    """A token signed with the hub's own key (what a fault elsewhere might produce), or by a stranger's."""

    @attack("T", name, 401, "invalid_token")
    async def _(w: World) -> Sent:
        ring = w.station.hub.keys.signing()
        good = await w.caller.token(w.station)
        header, payload = jose.parts(good)
        claims = jose.members(payload)
        changed = change(header, claims)
        token = forged(header, claims if changed is None else changed, jose.new_key() if foreign else ring.private)
        return at_resource(token, w.caller.proof(RESOURCE, token))


def put(**claims: Any) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    return lambda header, found: found.update(claims)


def head(**changed: Any) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    return lambda header, found: header.update(changed)


def without(claim: str) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    def change(header: dict[str, Any], found: dict[str, Any]) -> None:
        del found[claim]

    return change


bad_token("of another issuer with the same kid", put(), foreign=True)
bad_token("iss of another", put(iss="https://other.example"))
bad_token("iss is a list", put(iss=[ISSUER]))
bad_token("aud of another node", put(aud="https://node.example/graphql"))
bad_token("aud is a list", put(aud=[RESOURCE]))
bad_token("aud is a list with another", put(aud=[RESOURCE, "https://other.example"]))
bad_token("an ID token", head(typ="JWT"))
bad_token("no type", lambda header, claims: header.pop("typ") and None)
bad_token("a proof as token", head(typ="dpop+jwt"))
bad_token("an assertion as token", head(typ="client-authentication+jwt"))
bad_token("unknown kid", head(kid="unknown"))
bad_token("kid is SQL", head(kid="' OR 1=1"))
bad_token("alg none", head(alg="none"))
bad_token("alg HS256", head(alg="HS256"))
bad_token("alg Ed25519", head(alg="Ed25519"))
bad_token("crit", head(crit=["x"], x=1))
bad_token("jku", head(jku="https://evil.example"))
bad_token(
    "expired beyond the skew", lambda h, c: c.update(iat=int(NOW()) - 400, nbf=int(NOW()) - 400, exp=int(NOW()) - 6)
)
bad_token("nbf in the future", lambda h, c: c.update(nbf=int(NOW()) + 30))
bad_token("iat in the future", lambda h, c: c.update(iat=int(NOW()) + 30))
bad_token("exp is a text", lambda h, c: c.update(exp=str(c["exp"])))
bad_token("exp is Infinity", put(exp=float("inf")))
bad_token("sub is a list", put(sub=["x"]))
bad_token("client_id is a list", put(client_id=["x"]))
bad_token("cnf is missing", without("cnf"))
bad_token("cnf is a text", put(cnf="x"))
bad_token("cnf without jkt", put(cnf={}))
bad_token("jti is missing", without("jti"))
bad_token("epoch is true", put(epoch=True))
bad_token("epoch is missing", without("epoch"))
bad_token("city is no key", put(city="seoul"))
bad_token("scope is a list", put(scope=["graphql:query"]))
bad_token("posts of no role", put(posts=[{"role": "king", "city": "", "active": True}]))
bad_token("posts is a number", put(posts=7))
bad_token("deeply nested", lambda h, c: DEEP)
bad_token("a member named twice", lambda h, c: (json.dumps(c)[:-1] + ', "sub": "x"}').encode())
bad_token("of 16 kB", put(more="x" * 12_000))
bad_token("payload is no object", lambda h, c: ["x"])


@attack("T", "a changed claim", 401, "invalid_token")
async def _(w: World) -> Sent:
    good = await w.caller.token(w.station)
    _header, payload = jose.parts(good)
    body = jose.encode64(json.dumps({**jose.members(payload), "scope": "audit:read"}).encode())
    first, _, last = good.split(".")
    token = f"{first}.{body}.{last}"
    return at_resource(token, w.caller.proof(RESOURCE, token))


@attack("T", "a revoked token", 401, "invalid_token")
async def _(w: World) -> Sent:
    token = await w.caller.token(w.station)
    form = {**w.caller.form(), "token": token}
    assert (await w.station.http.post("/oauth/revoke", data=form)).status_code == 200
    return at_resource(token, w.caller.proof(RESOURCE, token))


@attack("T", "a token in the address", 400, "invalid_request")
async def _(w: World) -> Sent:
    return {"url": f"/graphql?access_token={await w.caller.token(w.station)}"}


@attack("T", "a token in the address and in the header", 400, "invalid_request")
async def _(w: World) -> Sent:
    token = await w.caller.token(w.station)
    return at_resource(token, w.caller.proof(RESOURCE, token), url=f"/graphql?a=b&access_token={token}")


for scheme, status, error in [
    ("Bearer", 401, "invalid_token"),
    ("bearer", 401, "invalid_token"),
    ("Basic", 401, "invalid_token"),
    ("DPoP\t", 400, "invalid_request"),
    ("DPoP,", 400, "invalid_request"),
    ("", 400, "invalid_request"),
]:

    @attack("T", f"scheme {scheme!a}", status, error)
    async def _(w: World, scheme: str = scheme) -> Sent:
        token = await w.caller.token(w.station)
        return at_resource(token, w.caller.proof(RESOURCE, token), scheme)


@attack("T", "two Authorization headers", 400, "invalid_request")
async def _(w: World) -> Sent:
    token = await w.caller.token(w.station)
    sent = [("Authorization", f"DPoP {token}"), ("Authorization", "DPoP x"), ("DPoP", w.caller.proof(RESOURCE, token))]
    return {"url": "/graphql", "headers": sent}


@attack("T", "no token after the scheme", 400, "invalid_request")
async def _(w: World) -> Sent:
    return {"url": "/graphql", "headers": {"Authorization": "DPoP"}}


@attack("T", "a token that is no token", 401, "invalid_token")
async def _(w: World) -> Sent:
    return at_resource("abc", w.caller.proof(RESOURCE, "abc"))


@attack("T", "a token that is not ASCII", 400, "invalid_request")
async def _(w: World) -> Sent:
    return {"url": "/graphql", "headers": {"Authorization": "DPoP é".encode(), "DPoP": w.caller.proof(RESOURCE, "x")}}


# D: proofs, in turn at both endpoints.


def bad_proof(name: str, make: Callable[[Caller, str, str | None], Any]) -> None:
    @attack("D", f"{name}, at the token endpoint", 400, "invalid_dpop_proof")
    async def _(w: World) -> Sent:
        return at_token(w.caller, proof=make(w.caller, TOKEN_URL, None))

    @attack("D", f"{name}, at the resource", 401, "invalid_dpop_proof")
    async def _(w: World) -> Sent:
        token = await w.caller.token(w.station)
        return at_resource(token, make(w.caller, RESOURCE, token))


def swapped(caller: Caller, url: str, token: str | None) -> str:
    return caller.proof(url, token, header={"jwk": jose.public_jwk(jose.new_key())})


bad_proof("htm of another method", lambda c, u, t: c.proof(u, t, method="GET"))
bad_proof("htm in small letters", lambda c, u, t: c.proof(u, t, method="post"))
bad_proof("htm missing", lambda c, u, t: c.proof(u, t, htm=None))
bad_proof("htu of another path", lambda c, u, t: c.proof(u + "/x", t))
bad_proof("htu of another host", lambda c, u, t: c.proof(u.replace("hub.", "evil."), t))
bad_proof("htu without TLS", lambda c, u, t: c.proof(u.replace("https", "http"), t))
bad_proof("htu of another port", lambda c, u, t: c.proof(u.replace(".example", ".example:8443"), t))
bad_proof("htu with a user", lambda c, u, t: c.proof(u.replace("hub.", "hub.example@hub."), t))
bad_proof("htu with a bad port", lambda c, u, t: c.proof(u.replace(".example", ".example:99999999"), t))
bad_proof("htu of another node", lambda c, u, t: c.proof("https://node.example/graphql", t))
bad_proof("htu missing", lambda c, u, t: c.proof(u, t, htu=None))
bad_proof("htu is a list", lambda c, u, t: c.proof(u, t, htu=[u]))
bad_proof("htu is relative", lambda c, u, t: c.proof("/graphql", t))
bad_proof("iat too old", lambda c, u, t: c.proof(u, t, iat=int(NOW()) - 62))
bad_proof("iat in the future", lambda c, u, t: c.proof(u, t, iat=int(NOW()) + 8))
bad_proof("iat missing", lambda c, u, t: c.proof(u, t, iat=None))
bad_proof("iat is a text", lambda c, u, t: c.proof(u, t, iat="now"))
bad_proof("jti missing", lambda c, u, t: c.proof(u, t, jti=None))
bad_proof("jti empty", lambda c, u, t: c.proof(u, t, jti=""))
bad_proof("jti of 2 kB", lambda c, u, t: c.proof(u, t, jti="x" * 2048))
bad_proof("private key in the header", lambda c, u, t: c.proof(u, t, header={"jwk": jose.private_jwk(c.dpop)}))
bad_proof("another key in the header", swapped)
bad_proof("no key in the header", lambda c, u, t: c.proof(u, t, header={"jwk": None}))
bad_proof("a key type that is a list", lambda c, u, t: c.proof(u, t, header={"jwk": {"kty": ["EC"], "crv": {}}}))
bad_proof("a symmetric key", lambda c, u, t: c.proof(u, t, header={"jwk": {"kty": "oct", "k": "AAAA"}, "alg": "HS256"}))
bad_proof("a point off the curve", lambda c, u, t: c.proof(u, t, header={"jwk": {
    "kty": "EC", "crv": "P-256", "x": jose.encode64(b"\1" * 32), "y": jose.encode64(b"\2" * 32)}}))  # fmt: skip
bad_proof(
    "a P-384 key", lambda c, u, t: c.proof(u, t, header={"jwk": ECKey.generate_key("P-384").as_dict(private=False)})
)
bad_proof("alg of another key", lambda c, u, t: c.proof(u, t, header={"alg": "Ed25519"}))
bad_proof("alg EdDSA", lambda c, u, t: c.proof(u, t, header={"alg": "EdDSA"}))
bad_proof("alg none", lambda c, u, t: c.proof(u, t, header={"alg": "none"}))
bad_proof("typ JWT", lambda c, u, t: c.proof(u, t, header={"typ": "JWT"}))
bad_proof("typ missing", lambda c, u, t: c.proof(u, t, header={"typ": None}))
bad_proof("kid is an address", lambda c, u, t: c.proof(u, t, header={"jku": "https://evil.example"}))
bad_proof("no proof at all", lambda c, u, t: "")
bad_proof("two proofs in one", lambda c, u, t: f"{c.proof(u, t)}, {c.proof(u, t)}")
bad_proof("too long", lambda c, u, t: c.proof(u, t, more="x" * 9000))
bad_proof("not ASCII", lambda c, u, t: "é.é.é".encode())


@attack("D", "the same proof again, at the token endpoint", 400, "invalid_dpop_proof")
async def _(w: World) -> Sent:
    proof = w.caller.proof()
    assert (await w.station.http.post(**at_token(w.caller, proof=proof))).status_code == 200
    return at_token(w.caller, proof=proof)


@attack("D", "the same proof again, at the resource", 401, "invalid_dpop_proof")
async def _(w: World) -> Sent:
    token = await w.caller.token(w.station)
    sent = at_resource(token, w.caller.proof(RESOURCE, token))
    assert (await w.station.http.post(**sent)).status_code == 200
    return sent


@attack("D", "no DPoP header, at the token endpoint", 400, "invalid_dpop_proof")
async def _(w: World) -> Sent:
    return {"url": "/oauth/token", "data": w.caller.form()}


@attack("D", "no DPoP header, at the resource", 401, "invalid_dpop_proof")
async def _(w: World) -> Sent:
    return at_resource(await w.caller.token(w.station), None)


@attack("D", "two DPoP headers", 401, "invalid_dpop_proof")
async def _(w: World) -> Sent:
    token = await w.caller.token(w.station)
    proofs = [("DPoP", w.caller.proof(RESOURCE, token)), ("DPoP", w.caller.proof(RESOURCE, token))]
    return {"url": "/graphql", "headers": [("Authorization", f"DPoP {token}"), *proofs]}


@attack("D", "ath missing", 401, "invalid_dpop_proof")
async def _(w: World) -> Sent:
    return at_resource(await w.caller.token(w.station), w.caller.proof(RESOURCE))


@attack("D", "ath of another token", 401, "invalid_dpop_proof")
async def _(w: World) -> Sent:
    token, other = await w.caller.token(w.station), await w.caller.token(w.station)
    return at_resource(token, w.caller.proof(RESOURCE, other))


@attack("D", "a stolen token with another key", 401, "invalid_dpop_proof")
async def _(w: World) -> Sent:
    token = await w.caller.token(w.station)
    return at_resource(token, w.other.proof(RESOURCE, token))


@attack("D", "a Bearer token without proof", 401, "invalid_token")
async def _(w: World) -> Sent:
    return at_resource(await w.caller.token(w.station), None, "Bearer")


@attack("D", "the Host of somebody else", 401, "invalid_dpop_proof")
async def _(w: World) -> Sent:
    token = await w.caller.token(w.station)
    sent = at_resource(token, w.caller.proof("https://evil.example/graphql", token))
    sent["headers"] |= {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    return sent


@pytest.fixture(scope="session")
async def world(besieged: Station) -> World:
    caller = await make_caller(besieged, "seoul")
    other = await make_caller(besieged, "moscow")
    async with besieged.hub.database.session() as db:
        city = await db.get(Organisation, other.city_id)
    assert city is not None
    ed = await make_program(besieged, city, OKPKey.generate_key("Ed25519"))
    return World(besieged, caller, other, ed)


@pytest.mark.parametrize(("send", "status", "error"), TABLE)
async def test_an_attack_is_refused_and_changes_nothing(world: World, send: Attack, status: int, error: str) -> None:
    request = await send(world)
    before = await world.station.state()
    answer = await world.station.http.post(**request)
    assert (answer.status_code, answer.json()["error"]) == (status, error), answer.text
    assert await world.station.state() == before
    if request["url"].startswith("/graphql"):
        assert answer.headers["www-authenticate"].startswith("DPoP error=")
        assert "resource_metadata=" in answer.headers["www-authenticate"]
    else:
        assert answer.headers["cache-control"] == "no-store"
        assert_nothing_is_told_back(answer, request)


def assert_nothing_is_told_back(answer: httpx2.Response, request: Sent) -> None:
    """No value that was sent is in the answer, but for words of the protocol that we say ourselves."""
    ours = {"client_credentials", "password", "refresh_token", "authorization_code", "*", '"', "x", "s"}
    for name, value in request.get("data", {}).items():
        if len(value) > 1 and value not in ours and name not in {"grant_type", "resource"}:
            assert value not in answer.text


async def test_what_is_good_passes_the_same_table(world: World) -> None:
    """The control: without it, a hub that refuses everything would pass."""
    for caller in (world.caller, world.ed):
        for header in ({}, {"typ": "JWT"}, {"typ": None}, {"typ": "application/client-authentication+JWT"}):
            token = await caller.token(world.station, client_assertion=caller.assertion(header=header))
            assert (await caller.read(world.station, token)).json() == {"actor": caller.client_id}


async def test_the_scheme_is_read_in_any_case(world: World) -> None:
    for scheme in ("dpop", "DPOP", "DPoP  "):
        token = await world.caller.token(world.station)
        answer = await world.station.http.post(**at_resource(token, world.caller.proof(RESOURCE, token), scheme))
        assert answer.status_code == 200, (scheme, answer.text)


async def test_addresses_in_proofs_are_compared_in_their_normal_form(world: World) -> None:
    for spelling in (
        "HTTPS://HUB.example:443/graphql",
        "https://hub.example/graphql?query=x",
        "https://hub.example/graphql#a",
        "https://hub.example/%67raphql",
    ):
        token = await world.caller.token(world.station)
        answer = await world.station.http.post(**at_resource(token, world.caller.proof(spelling, token)))
        assert answer.status_code == 200, (spelling, answer.text)


async def test_small_differences_of_clocks_are_forgiven(world: World) -> None:
    ring = world.station.hub.keys.signing()
    header, payload = jose.parts(await world.caller.token(world.station))
    claims = jose.members(payload)
    for change in ({"exp": int(NOW()) - 2}, {"nbf": int(NOW()) + 3}, {"iat": int(NOW()) + 3}):
        token = forged(header, {**claims, **change}, ring.private)
        answer = await world.station.http.post(**at_resource(token, world.caller.proof(RESOURCE, token)))
        assert answer.status_code == 200, (change, answer.text)
    late = world.caller.assertion(iat=int(NOW()) + 3, exp=int(NOW()) + 60)
    assert (await world.caller.get(world.station, client_assertion=late)).status_code == 200


async def test_garbage_never_gets_a_5xx(world: World) -> None:
    """Random bytes in every place where a token, proof or form is read."""
    before = await world.station.state()
    for size in (0, 1, 3, 40, 300, 7000):
        noise = secrets.token_bytes(size)
        text = jose.encode64(noise)
        for value in (text, f"{text}.{text}.{text}", f"eyJhbGciOiJFUzI1NiJ9.{text}.{text}", "." * size):
            for request in (
                at_token(world.caller, client_assertion=value or " "),
                at_token(world.caller, proof=value),
                at_resource(value or ".", value),
                {"url": "/oauth/revoke", "data": {"client_assertion": value, "token": value}},
                {"url": "/oauth/introspect", "data": {"client_assertion": value, "token": value}},
            ):
                answer = await world.station.http.post(**request)
                assert 400 <= answer.status_code < 500, answer.text
        answer = await world.station.http.post(
            "/oauth/token", content=noise, headers={"Content-Type": "application/x-www-form-urlencoded"}
        )
        assert 400 <= answer.status_code < 500, answer.text
    assert await world.station.state() == before
