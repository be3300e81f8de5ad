"""Whatever JSON somebody signs: the readers of proofs, tokens and assertions say yes or no, and nothing else."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from authlib.oauth2 import OAuth2Error
from federation_make import ISSUER, RESOURCE, TOKEN_URL, forged
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from federation.jose import jose
from federation.jose.keys import RingKey
from federation.jose.proofs import Proof, TokenError, open_proof
from federation.oauth.server import FormRequest, Program, Terms, TokenServer, core_answer, open_assertion
from federation.oauth.verifier import Verifier
from wego.core.settings import Settings

KEY = jose.new_key()
NOW = datetime.now(UTC)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
JSON = st.recursive(
    SCALARS | st.sampled_from([ISSUER, RESOURCE, TOKEN_URL, "ES256", "at+jwt", "dpop+jwt", "bench"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
HEADERS = st.dictionaries(st.sampled_from(["alg", "typ", "kid", "jwk", "crit", "b64", "cty", "x"]), JSON, max_size=3)
CLAIMS = st.dictionaries(
    st.sampled_from(
        ["iss", "sub", "aud", "iat", "nbf", "exp", "jti", "cnf", "scope", "client_id", "epoch", "city", "posts",
         "htm", "htu", "ath", "locale", "member"]
    ),
    JSON,
    max_size=4,
)  # fmt: skip
often = settings(
    max_examples=int(os.environ.get("WEGO_EXAMPLES", "40")), deadline=None, suppress_health_check=list(HealthCheck)
)
RING_KEY = RingKey("bench", KEY, KEY, NOW, NOW, None)
PROGRAM = Program(
    uuid4(), "seoul-1", {"keys": [jose.public_jwk(KEY, kid="bench")]}, ("graphql:query",), uuid4(), "seoul", "ko", 1
)


class OneKey:
    """A ring with one key."""

    def public(self, kid: str, now: Any = None) -> Any:
        return KEY if kid == "bench" else None


@often
@given(HEADERS, CLAIMS)
def test_proofs(header: dict[str, Any], claims: dict[str, Any]) -> None:
    usual = {"jti": "j", "htm": "POST", "htu": TOKEN_URL, "iat": int(NOW.timestamp()), "ath": jose.token_hash("t")}
    head = {"typ": "dpop+jwt", "alg": "ES256", "jwk": jose.public_jwk(KEY)}
    token = forged({**head, **header}, {**usual, **claims}, KEY)
    try:
        assert isinstance(open_proof([token], "POST", TOKEN_URL, NOW, ath=jose.token_hash("t")), Proof)
    except TokenError as problem:
        if problem.error != "invalid_dpop_proof":
            raise


@often
@given(HEADERS, CLAIMS)
def test_tokens(header: dict[str, Any], claims: dict[str, Any]) -> None:
    at = int(NOW.timestamp())
    usual = {
        "iss": ISSUER, "aud": RESOURCE, "sub": "seoul-1", "client_id": "seoul-1", "iat": at, "nbf": at, "exp": at + 300,
        "jti": "j", "cnf": {"jkt": "x"}, "scope": "", "epoch": 1, "city": str(uuid4()),
    }  # fmt: skip
    token = forged({"typ": "at+jwt", "alg": "ES256", "kid": "bench", **header}, {**usual, **claims}, KEY)
    verifier = Verifier(Settings(public_url=ISSUER), OneKey())  # type: ignore[arg-type]  # all it needs of a ring
    try:
        told = verifier.claims(token, NOW)
    except TokenError as problem:
        if problem.error != "invalid_token":
            raise
    else:
        assert (told["iss"], told["aud"]) == (ISSUER, RESOURCE)


@often
@given(HEADERS, CLAIMS, st.dictionaries(st.sampled_from(["scope", "client_id", "grant_type"]), st.text(), max_size=2))
def test_assertions(header: dict[str, Any], claims: dict[str, Any], form: dict[str, str]) -> None:
    at = int(time.time())
    usual = {"iss": "seoul-1", "sub": "seoul-1", "aud": ISSUER, "iat": at, "exp": at + 60, "jti": "j"}
    token = forged({"alg": "ES256", "kid": "bench", **header}, {**usual, **claims}, KEY)
    sent = {
        "grant_type": "client_credentials", "client_assertion_type": jose.ASSERTION_TYPE,
        "client_assertion": token, **form,
    }  # fmt: skip
    terms = Terms(ISSUER, RESOURCE, "jkt", 300, datetime.now(UTC))
    try:
        assertion = open_assertion(sent, ISSUER, time.time())
    except OAuth2Error as problem:
        if problem.error != "invalid_client":
            raise
        return
    server = TokenServer(terms, assertion, PROGRAM, RING_KEY)
    status, body = core_answer(server, FormRequest(TOKEN_URL, sent))
    assert status in {200, 400}
    assert ("access_token" in body) == (status == 200 and server.assertion.used is not None)


@often
@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda octets: octets.decode("latin-1")))
def test_texts_that_are_no_tokens(text: str) -> None:
    with pytest.raises(jose.Malformed):
        jose.parts(text)
    with pytest.raises(TokenError):
        open_proof([text], "POST", TOKEN_URL, NOW)
