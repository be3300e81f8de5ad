"""A token and a query with httpx and joserfc alone: every header and claim that the hub asks for is written here.

python with_httpx.py CLIENT_FILE ['{ viewer { kind } }']
"""

import base64
import hashlib
import json
import secrets
import sys
import time
from pathlib import Path
from typing import Any

import httpx2 as httpx  # httpx itself works as well
from joserfc import jws
from joserfc.jwk import ECKey

program = json.loads(Path(sys.argv[1]).read_text("utf-8"))
query = sys.argv[2] if len(sys.argv) > 2 else "{ viewer { kind clientId scopes } }"
own = ECKey.import_key(program["jwk"])  # says who the program is
dpop = ECKey.generate_key("P-256")  # to this one the token is bound


def signed(key: ECKey, header: dict[str, Any], claims: dict[str, Any]) -> str:
    usual = {"iat": int(time.time()), "jti": secrets.token_urlsafe(16)}
    return jws.serialize_compact({"alg": "ES256", **header}, json.dumps({**usual, **claims}), key)


def proof(url: str, **claims: str) -> str:
    """A DPoP proof (RFC 9449): good for one request."""
    header = {"typ": "dpop+jwt", "jwk": dpop.as_dict(private=False)}
    return signed(dpop, header, {"htm": "POST", "htu": url, **claims})


with httpx.Client(base_url=program["issuer"]) as http:
    endpoint = http.get("/.well-known/oauth-authorization-server").json()["token_endpoint"]
    me = {"iss": program["client_id"], "sub": program["client_id"], "aud": program["issuer"]}
    form = {
        "grant_type": "client_credentials",
        "scope": "graphql:query",
        "resource": program["resource"],
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": signed(own, {"kid": program["jwk"]["kid"]}, {**me, "exp": int(time.time()) + 60}),
    }
    token = http.post(endpoint, data=form, headers={"DPoP": proof(endpoint)}).raise_for_status().json()["access_token"]

    ath = base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()
    sent = {"Authorization": f"DPoP {token}", "DPoP": proof(program["resource"], ath=ath)}
    print(http.post(program["resource"], json={"query": query}, headers=sent).text)
