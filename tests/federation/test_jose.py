"""Signatures: the vectors of Wycheproof and RFC 7520, and what the reader of tokens refuses."""

from __future__ import annotations

import base64
import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OKPKey

from federation.jose import jose


def accepted(token: Any, jwk: Any) -> bool:
    """The way of every token through this house: read, import the one key, verify."""
    try:
        header, _ = jose.parts(token if isinstance(token, str) else json.dumps(token))
        public = {name: value for name, value in jwk.items() if name not in {"d", "p", "q", "dp", "dq", "qi"}}
        if header.get("kid", public.get("kid")) != public.get("kid"):
            return False
        jose.verify(token, jose.public_key(public))
    except jose.Malformed:
        return False
    return True


def test_not_one_invalid_token_of_wycheproof_is_accepted(shared: Path) -> None:
    file = shared / "data/vectors/wycheproof/json_web_signature_test.json"
    if not file.is_file():
        pytest.skip(f"{file} is absent")
    groups = json.loads(file.read_text("utf-8"))["testGroups"]
    wrong, missed, seen, ours = [], [], 0, 0
    for group in groups:
        jwk = group.get("public") or group["private"]
        ours_here = jwk["kty"] == "EC" and jwk["crv"] == "P-256" and jwk.get("use", "sig") == "sig"
        for case in group["tests"]:
            seen += 1
            taken = accepted(case["jws"], jwk)
            if taken and case["result"] != "valid":
                wrong.append((case["tcId"], case["comment"]))
            if ours_here and case["result"] == "valid":
                ours += 1
                missed += [] if taken else [(case["tcId"], case["comment"])]
    assert (wrong, missed) == ([], [])
    assert seen == 401
    assert ours >= 2  # the control: good ES256 signatures do pass


def test_a_signature_of_rfc_8037_style_passes() -> None:
    for key in (ECKey.generate_key("P-256"), OKPKey.generate_key("Ed25519")):
        token = jose.sign({"typ": "x", "kid": "한"}, {"a": "é\ud800"}, key)
        header, payload = jose.parts(token)
        jose.verify(token, jose.public_key(jose.public_jwk(key)))
        assert (header["kid"], jose.members(payload)) == ("한", {"a": "é\ud800"})
        with pytest.raises(jose.Malformed):
            jose.verify(token[:-2] + ("AA" if token[-2:] != "AA" else "BB"), key)


@pytest.mark.parametrize(
    "jwk",
    [
        None, [], "x", {}, {"kty": "EC"}, {"kty": ["EC"]}, {"kty": "oct", "k": "AAAA"},
        {"kty": "RSA", "n": "AQ", "e": "AQAB"},
        {"kty": "EC", "crv": "P-256", "x": 1, "y": 2}, {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "OKP", "crv": "X25519", "x": "A" * 43}, {"kty": "OKP", "crv": "Ed25519", "x": "é" * 43},
        {**jose.public_jwk(jose.new_key()), "use": "enc"}, {**jose.public_jwk(jose.new_key()), "key_ops": ["encrypt"]},
        {**jose.public_jwk(jose.new_key()), "alg": "RS256"}, {**jose.public_jwk(jose.new_key()), "key_ops": 7},
        jose.private_jwk(jose.new_key()), {f"m{n}": n for n in range(40)},
    ],
)  # fmt: skip
def test_what_is_no_public_signing_key_is_refused(jwk: Any) -> None:
    with pytest.raises(jose.Malformed):
        jose.public_key(jwk)


@given(st.binary(max_size=60))
def test_base64url_has_one_spelling(octets: bytes) -> None:
    text = jose.encode64(octets)
    assert jose.decode64(text) == octets
    for other in (text + "=", text + "==", text.replace("-", "+"), text.replace("_", "/"), f" {text}", text + "\n"):
        if other != text:
            with pytest.raises(jose.Malformed):
                jose.decode64(other)


@given(st.text("ABCDEFGHxyz0189-_+/= é\n\x00", max_size=12))
def test_what_is_read_as_base64url_is_written_so_again(text: str) -> None:
    try:
        octets = jose.decode64(text)
    except jose.Malformed:
        with contextlib.suppress(ValueError):
            padded = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), b"-_", validate=True)
            assert jose.encode64(padded) != text
    else:
        assert jose.encode64(octets) == text


@pytest.mark.parametrize("value", ["", "a b", "a\n", "é", "\x7f", "\x00", " a", "a" * 256, None, 7, ["a"]])
def test_names_are_visible_ascii(value: Any) -> None:
    assert jose.name("!~kid-7") == "!~kid-7"
    with pytest.raises(jose.Malformed):
        jose.name(value)


@pytest.mark.parametrize("octets", [b"", b"{", b"[]", b"7", b'{"a":1,"a":1}', b'{"a":NaN}', b'{"a":{"b":1,"b":2}}',
                                    b"\xff", b"[" * 3000, b'{"a":' + b"9" * 5000 + b"}", b"null"])  # fmt: skip
def test_what_is_no_plain_json_object_is_refused(octets: bytes) -> None:
    with pytest.raises(jose.Malformed):
        jose.members(octets)
