"""What the world may know about the authorization server and the resource it protects.

Binding texts: RFC 8414 (server), RFC 9728 (resource), RFC 9449 section 5.1 and RFC 8707 for what they add.
"""

from __future__ import annotations

from typing import Any

from federation.jose.jose import VERIFIED_ALGORITHMS
from federation.oauth.server import METHOD
from wego.core.access import SCOPES
from wego.core.settings import Settings


def server_metadata(settings: Settings) -> dict[str, Any]:
    """RFC 8414 section 2. No response type is offered, because there is no authorization endpoint yet; the
    member is required all the same."""
    issuer, algorithms = settings.issuer, list(VERIFIED_ALGORITHMS)
    described: dict[str, Any] = {
        "issuer": issuer,
        "token_endpoint": f"{issuer}/oauth/token",
        "revocation_endpoint": f"{issuer}/oauth/revoke",
        "introspection_endpoint": f"{issuer}/oauth/introspect",
        "jwks_uri": f"{issuer}/oauth/jwks",
        "scopes_supported": sorted(SCOPES),
        "response_types_supported": [],
        "grant_types_supported": ["client_credentials"],
        "dpop_signing_alg_values_supported": algorithms,
        "protected_resources": [settings.resource],
    }
    for endpoint in ("token", "revocation", "introspection"):
        described[f"{endpoint}_endpoint_auth_methods_supported"] = [METHOD]
        described[f"{endpoint}_endpoint_auth_signing_alg_values_supported"] = algorithms
    return described


def resource_metadata(settings: Settings) -> dict[str, Any]:
    """RFC 9728 section 2, of the GraphQL endpoint."""
    return {
        "resource": settings.resource,
        "authorization_servers": [settings.issuer],
        "scopes_supported": sorted(SCOPES),
        "bearer_methods_supported": ["header"],
        "resource_name": "WeGO hub",
        "dpop_signing_alg_values_supported": list(VERIFIED_ALGORITHMS),
        "dpop_bound_access_tokens_required": True,
    }
