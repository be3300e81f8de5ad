"""Random operations × readers × reading lists: what is compiled answers as the naive interpreter does, byte by byte,
and with one statement.

WEGO_EXAMPLES asks for more examples (300 otherwise), WEGO_RANDOM=1 for other ones in each run, WEGO_SHRINK=1 for
the smallest failing operation, which takes minutes.
"""

from __future__ import annotations

import os

import orjson
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from naive import Naive, Session
from operations import Operation, Pools, operations
from reads_make import READINGS, Network, reading_of
from wego.core.db import Tally, tally

EXAMPLES = int(os.environ.get("WEGO_EXAMPLES", "300"))


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="WEGO_RANDOM" not in os.environ,
    database=None,
    suppress_health_check=list(HealthCheck),
    print_blob=False,
    phases=(Phase.generate, Phase.shrink) if "WEGO_SHRINK" in os.environ else (Phase.generate,),
)
@given(data=st.data())
async def test_a_compiled_answer_is_the_naive_one(
    network: Network, naively: Session, pools: Pools, data: st.DataObject
) -> None:
    drawn = data.draw(operations(network.schema, pools))
    readers = st.tuples(st.sampled_from(sorted(network.actors)), st.sampled_from(sorted(READINGS)))
    # The second reader may meet the plan of the first.
    for reader, wish in data.draw(st.lists(readers, min_size=1, max_size=2)):
        await compare(network, naively, drawn, reader, wish)


async def compare(network: Network, naively: Session, drawn: Operation, reader: str, wish: str) -> None:
    note(f"{reader} reads {wish}:\n{drawn.text}\n{drawn.variables}")
    import traceback
    try:
        await _compare(network, naively, drawn, reader, wish)
    except BaseException:
        open("/tmp/td.fail","a").write(f"=====\n{reader} reads {wish}:\n{drawn.text}\n{drawn.variables}\n{traceback.format_exc()[-1800:]}\n")
        raise


async def _compare(network, naively, drawn, reader, wish):
    actor, reading = network.actors[reader], READINGS[wish]
    counted = Tally()
    token = tally.set(counted)
    try:
        answer = await network.ask(drawn.text, drawn.variables, actor=actor, reading=reading)
    finally:
        tally.reset(token)
    expected = Naive(network.schema, naively, actor, reading, reading_of).answer(drawn.text, None, drawn.variables)
    assert answer.errors == []
    assert orjson.dumps(orjson.loads(answer.data)) == orjson.dumps(expected)
    assert counted.statements <= 1
