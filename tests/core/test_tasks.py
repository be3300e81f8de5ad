"""Ending what runs: in bounded time, whatever it does when it is told to end."""

from __future__ import annotations

import asyncio
import contextlib
import time

from wego.core.tasks import ended, within


async def test_a_task_that_answers_a_cancellation_with_another_error_and_goes_on_is_ended():
    """So it was with the connection that hears of changes: closing it broke, and the loop around it began again."""
    rounds = 0

    async def stubborn() -> None:
        nonlocal rounds
        while True:
            try:
                try:
                    await asyncio.sleep(60)
                finally:
                    rounds += 1
                    if rounds < 3:
                        raise OSError("the connection broke while it was closed")
            except OSError:
                continue

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    assert await ended(task, 3.0)
    assert task.done()
    assert rounds == 3


async def test_a_task_that_never_ends_is_left_behind_in_time():
    over = asyncio.Event()

    async def deaf() -> None:
        while not over.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await over.wait()

    task = asyncio.create_task(deaf())
    await asyncio.sleep(0)
    began = time.monotonic()
    assert not await ended(task, 0.5)
    assert time.monotonic() - began < 1.0
    over.set()
    await task


async def test_what_a_task_raised_is_not_raised_at_its_end():
    async def broken() -> None:
        raise OSError("gone")

    task = asyncio.create_task(broken())
    await asyncio.sleep(0)
    assert await ended(task)


async def test_closing_is_waited_for_so_long_and_no_longer():
    done: list[str] = []

    async def quick() -> None:
        done.append("quick")

    async def slow() -> None:
        await asyncio.sleep(60)

    async def broken() -> None:
        raise OSError("gone")

    assert await within(1.0, quick())
    assert done == ["quick"]
    assert await within(1.0, broken())
    began = time.monotonic()
    assert not await within(0.2, slow())
    assert time.monotonic() - began < 1.0
