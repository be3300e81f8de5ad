"""schemathesis: operations made from the schema, against a real server; whatever comes, never a 5xx.

Half of the operations come with an officer's token, so that mutations are really tried. Derandomised: a failure here
is a failure everywhere.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from http_make import Seeded
from http_server import threaded
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from federation.client import proof
from federation.jose import jose

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what the library and those below it say of their own imports
    import schemathesis

EXAMPLES = 150
TAGS = ["en", "ko", "zh-Hans", "AR-eg", "x-none", "not a tag", ""]
schemathesis.graphql.scalar("LanguageTag", st.sampled_from(TAGS).map(schemathesis.graphql.nodes.String))


@dataclass
class Target:
    url: str
    token: str
    key: Any
    schema: Any

    def headers(self, *, signed: bool) -> dict[str, str]:
        if not signed:
            return {}
        return {"Authorization": f"DPoP {self.token}", "DPoP": proof(self.key, "POST", self.url, self.token)}


@pytest.fixture(scope="module")
def target(seeded: Seeded) -> Iterator[Target]:
    with seeded.clone() as url, threaded(seeded, url) as (address, token), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        schema = schemathesis.graphql.from_url(f"{address}/graphql")
        key = jose.private_key(token["dpop_jwk"])
        yield Target(f"{address}/graphql", token["access_token"], key, schema)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["Query", "Mutation"])
def test_no_operation_made_from_the_schema_is_a_server_error(target: Target, kind: str):
    operations = [
        found.ok() for found in target.schema.get_all_operations() if found.ok().definition.type_.name == kind
    ]
    assert operations
    seen: dict[int, int] = {}
    share = max(EXAMPLES // len(operations), 3)
    for operation in operations:

        @settings(
            max_examples=share, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy(), signed=st.booleans())
        def ask(case: Any, signed: bool) -> None:
            answer = case.call(headers=target.headers(signed=signed))
            seen[answer.status_code] = seen.get(answer.status_code, 0) + 1
            assert answer.status_code < 500, answer.text
            assert "INTERNAL" not in answer.text
            assert answer.json().keys() <= {"data", "errors", "extensions"}

        ask()
    assert seen.get(200, 0) > sum(seen.values()) / 3, seen
