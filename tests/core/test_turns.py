"""Work that is done one piece in each turn of the loop, and what the interpreter does meanwhile."""

from __future__ import annotations

import asyncio
import gc
import time
from weakref import ref

import pytest

from wego.core.errors import Unavailable
from wego.core.memory import Tidy, begin_to_serve
from wego.core.turns import Turns


async def test_of_those_who_come_together_one_has_a_turn_and_everybody_else_goes_on():
    turns, order = Turns(100), []

    async def heavy(number: int) -> None:
        async with turns.take():
            order.append(number)

    async def light() -> None:
        for _ in range(3):
            await asyncio.sleep(0)
        order.append("light")

    await asyncio.gather(*(heavy(number) for number in range(20)), light())
    assert [each for each in order if each != "light"] == list(range(20)), "in their order"
    assert order.index("light") <= 3, "nobody waits for all of them"


async def test_only_so_many_wait_and_who_fails_or_leaves_gives_his_turn_away():
    turns = Turns(2)

    async def fail() -> None:
        async with turns.take():
            raise ValueError

    async def work() -> bool:
        async with turns.take():
            return True

    first, second = asyncio.create_task(fail()), asyncio.create_task(work())
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await work()
    second.cancel()
    await asyncio.gather(first, second, return_exceptions=True)
    assert await work()


class Cycle:
    def __init__(self) -> None:
        self.itself = self


def test_a_server_looks_at_little_garbage_at_once_and_at_all_of_it_now_and_then():
    before = gc.get_threshold()
    try:
        begin_to_serve()
        assert gc.get_freeze_count() > 10_000
        assert gc.get_threshold()[0] <= 5_000
        tidy, frozen = Tidy(), gc.get_freeze_count()
        kept = [[] for _ in range(30_000)]
        cycles = [Cycle() for _ in range(1_000)]
        assert gc.get_count()[2], "there is something to look at"
        tidy.tick(time.monotonic())
        assert gc.get_freeze_count() >= frozen + 31_000, "what has stayed is looked at no more"
        gone = [ref(each) for each in cycles]
        cycles.clear()
        for tick in range(20):
            tidy.tick(time.monotonic() + 400 + tick)
        assert [each() for each in gone if each() is not None] == [], "everything is looked at when it is quiet"
        assert len(kept) == 30_000
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
