"""Random operations × readers × reading lists: what is compiled answers as the naive interpreter does, byte by byte,
and with at most one statement.

WEGO_EXAMPLES asks for more examples (150 otherwise; at night 2000), WEGO_RANDOM=1 for other ones in each run, and
WEGO_SHRINK=1 for the smallest operation that fails, which can take minutes.
"""

from __future__ import annotations

import os

import orjson
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from naive import Naive
from naive_rows import Session
from operations import Operation, operations
from pools import Pools
from reads_make import READINGS, Network, reading_of

from wego.core.db import Tally, tally

EXAMPLES = int(os.environ.get("WEGO_EXAMPLES", "150"))


@settings(
    max_examples=EXAMPLES, deadline=None, derandomize="WEGO_RANDOM" not in os.environ, database=None,
    phases=(Phase.generate, Phase.shrink) if "WEGO_SHRINK" in os.environ else (Phase.generate,),
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(data=st.data())
async def test_a_compiled_answer_is_the_naive_one(
    network: Network, naively: Session, pools: Pools, data: st.DataObject
) -> None:
    operation = data.draw(operations(pools))
    readers = st.tuples(st.sampled_from(sorted(network.actors)), st.sampled_from(sorted(READINGS)))
    # A second reader may meet the plan that was made for the first.
    for reader, wish in data.draw(st.lists(readers, min_size=1, max_size=2)):
        await compare(network, naively, operation, reader, wish)


async def compare(network: Network, naively: Session, drawn: Operation, reader: str, wish: str) -> None:
    told = f"{reader} reads {wish}:\n{drawn.text}\n{drawn.variables}"
    actor, reading = network.actors[reader], READINGS[wish]
    counted = Tally()
    token = tally.set(counted)
    try:
        answer = await network.ask(drawn.text, drawn.variables, actor=actor, reading=reading)
    except Exception as error:
        error.add_note(told)
        raise
    finally:
        tally.reset(token)
    expected = Naive(network.schema, naively, actor, reading, reading_of).answer(drawn.text, None, drawn.variables)
    assert answer.errors == [], told
    assert orjson.dumps(orjson.loads(answer.data)) == orjson.dumps(expected), told
    assert counted.statements <= 1, told
