"""The one cache: whatever is put into it, it takes no more memory than its budget says."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from wego.core.cache import Cache, digest, remembered, size_of, sweep_all

MIB = 2**20


@pytest.mark.parametrize(
    "make",
    [
        lambda n: (digest(b"%d" % n), b"x" * (n % 5_000)),
        lambda n: (digest(b"%d" % n), None),
        lambda n: (("a tuple", "k" * (n % 3_000), n), "value"),
        lambda n: ("é" * (n % 2_000) + str(n), ["text"] * (n % 100)),
        lambda n: (n, {f"{n} {each}": "y" * 50 for each in range(n % 40)}),
    ],
    ids=["bytes", "nothing", "long keys", "wide texts", "objects"],
)
def test_memory_stays_within_the_budget_whatever_is_kept(make: Callable[[int], tuple[Any, Any]]):
    cache: Cache[Any, Any] = Cache(2 * MIB)
    gc.collect()
    tracemalloc.start()
    for number in range(30_000):
        cache.put(*make(number))
    gc.collect()
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert cache.bytes <= 2 * MIB
    assert taken <= 2.2 * MIB
    assert len(cache) > 50


def test_what_is_larger_than_an_eighth_is_not_kept_and_pushes_nothing_out():
    cache: Cache[str, bytes] = Cache(80_000)
    cache.put("small", b"x")
    assert not cache.put("large", b"x" * 10_000)
    assert cache.get("large") is None
    assert cache.get("small") == b"x"
    assert not cache.put("k" * 20_000, b"")


def test_a_value_put_again_is_charged_once():
    cache: Cache[str, bytes] = Cache(MIB)
    for size in (10, 5_000, 100):
        cache.put("key", b"x" * size)
    assert cache.bytes < 1_000
    assert cache.pop("key") == b"x" * 100
    assert cache.bytes == len(cache) == 0


def test_what_was_used_longest_ago_goes_first():
    cache: Cache[int, bytes] = Cache(MIB, most=3)
    for key in (1, 2, 3):
        cache.put(key, b"")
    cache.get(1)
    cache.put(4, b"")
    assert [key in cache for key in (1, 2, 3, 4)] == [True, False, True, True]


def test_silence_frees_what_has_expired():
    now = 0.0
    cache: Cache[int, bytes] = Cache(MIB, seconds=5, clock=lambda: now)
    for key in range(100):
        cache.put(key, b"x" * 100)
    now = 6.0
    sweep_all()
    assert cache.bytes == len(cache) == 0


def test_parts_that_run_together_have_different_digests():
    seen = {
        digest(*parts)
        for parts in [(b"ab", b"c"), (b"a", b"bc"), (b"abc",), (b"abc", b""), (b"abc", None), (None, b"abc"),
                      (b"2:ab", b"c"), (b"2:ab1:c",), (b"-", b""), (None, b"")]
    }  # fmt: skip
    assert len(seen) == 10


def test_long_texts_are_answered_and_not_remembered():
    calls: list[str] = []

    @remembered(MIB, longest=10)
    def upper(text: str) -> str:
        calls.append(text)
        return text.upper()

    for text in ("short", "short", "x" * 11, "x" * 11):
        assert upper(text) == text.upper()
    assert calls == ["short", "x" * 11, "x" * 11]


def test_the_size_of_what_holds_others_is_theirs_too():
    assert size_of(["x" * 10_000]) > 10_000
    assert size_of({"a": ("y" * 5_000,)}) > 5_000


def test_what_is_asked_once_pushes_out_nothing_that_is_asked_again():
    cache: Cache[int, bytes] = Cache(MIB)
    for number in range(100):
        cache.put(number, b"x" * 5_000)
    for number in range(100):
        assert cache.get(number) is not None
    for number in range(1_000, 11_000):
        cache.put(number, b"y" * 5_000)
        assert cache.bytes <= MIB
    assert all(number in cache for number in range(100))


def test_what_is_asked_again_and_again_makes_room_for_what_is_asked_later():
    cache: Cache[int, bytes] = Cache(MIB)
    for number in range(2_000):
        cache.put(number, b"x" * 5_000)
        assert cache.get(number) is not None
        assert cache.bytes <= MIB
    assert 1_999 in cache
    assert 0 not in cache
    for number in range(1_000, 2_000):
        cache.pop(number)
    cache.clear()
    assert (len(cache), cache.bytes) == (0, 0)
