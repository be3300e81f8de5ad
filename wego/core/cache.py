"""The one bounded cache: what a request leaves behind in memory is kept here or nowhere.

A cache has a budget in bytes. Each entry is charged for its key, its value and what a dictionary spends on it; the
entry that was used longest ago goes first, and an entry that is too large for its cache is not kept at all. What was
asked for only once goes before what was asked for again, so that somebody who asks something new each time cannot push
out what others use (a segmented LRU: Karedla, Love, Wherry, "Caching strategies to improve disk system performance",
1994). Keys that come from outside are digests (`digest`), so that nobody decides how long a key is. What has expired
is removed when it is met, by every `put`, and by `sweep`, which the hub calls every few seconds, so that silence frees
memory as well.
"""

from __future__ import annotations

import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import wraps
from hashlib import blake2b
from threading import Lock
from typing import Any, Generic, ParamSpec, TypeVar
from weakref import WeakSet

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
P = ParamSpec("P")
R = TypeVar("R")

OVERHEAD = 300  # bytes that an entry costs beside key and value: a place in the dictionary, a link, a tuple, numbers
AGAIN_SHARE = 0.8  # of the budget is for what was asked for again
LARGEST_SHARE = 8  # an entry may take an eighth of its cache, so that one answer cannot push out all others

_every: WeakSet[Cache[Any, Any]] = WeakSet()


def digest(*parts: bytes | None) -> bytes:
    """Sixteen bytes that stand for these parts in their order. Each part is preceded by its length, so that no two
    lists of parts run together to the same text; an absent part differs from an empty one."""
    sum_ = blake2b(digest_size=16)
    for part in parts:
        sum_.update(b"-" if part is None else b"%d:" % len(part))
        if part:
            sum_.update(part)
    return sum_.digest()


def size_of(value: Any) -> int:
    """About how many bytes a key or a value takes: exact for texts and bytes, the sum for flat containers."""
    size = sys.getsizeof(value)
    if isinstance(value, tuple | list | frozenset | set):
        size += sum(map(size_of, value))
    elif isinstance(value, dict):
        size += sum(size_of(key) + size_of(each) for key, each in value.items())
    return size


class Cache(Generic[K, V]):
    """A map from key to value that never takes more than `most_bytes` in all.

    `size` says how many bytes a value takes (default: `size_of`); `seconds` is how long an entry lives; `most` bounds
    the number of entries as well. Not for several threads."""

    def __init__(
        self, most_bytes: int, *, size: Callable[[V], int] = size_of, seconds: float | None = None,
        most: int | None = None, clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self.most_bytes, self.bytes = most_bytes, 0
        self._size, self._seconds, self._most, self._clock = size, seconds, most, clock
        self._items: OrderedDict[K, tuple[V, int, float]] = OrderedDict()
        self._again: OrderedDict[K, tuple[V, int, float]] = OrderedDict()  # asked for again; not where entries expire
        self._again_bytes = 0
        _every.add(self)

    def get(self, key: K) -> V | None:
        """The value, unless it is absent or has expired."""
        found = self._again.get(key)
        if found is not None:
            self._again.move_to_end(key)
            return found[0]
        found = self._items.get(key)
        if found is None:
            return None
        if self._seconds is None:
            self._promote(key, found)
        elif found[2] <= self._clock():  # those that expire stay in the order of their end: the expired stand first
            self.pop(key)
            return None
        return found[0]

    def _promote(self, key: K, found: tuple[V, int, float]) -> None:
        del self._items[key]
        self._again[key] = found
        self._again_bytes += found[1]
        while self._again_bytes > self.most_bytes * AGAIN_SHARE:
            oldest, entry = self._again.popitem(last=False)
            self._again_bytes -= entry[1]
            self._items[oldest] = entry

    def put(self, key: K, value: V) -> bool:
        """Keep a value; False when it is too large for this cache."""
        self.pop(key)
        size = size_of(key) + self._size(value) + OVERHEAD
        if size * LARGEST_SHARE > self.most_bytes:
            return False
        ends = self._clock() + self._seconds if self._seconds is not None else 0.0
        self._items[key] = (value, size, ends)
        self.bytes += size
        self.sweep()
        while self.bytes > self.most_bytes or (self._most is not None and len(self) > self._most):
            self._drop_oldest()
        return True

    def pop(self, key: K) -> V | None:
        """Remove an entry and give its value back."""
        found = self._items.pop(key, None)
        if found is None:
            found = self._again.pop(key, None)
            if found is None:
                return None
            self._again_bytes -= found[1]
        self.bytes -= found[1]
        return found[0]

    def sweep(self) -> None:
        """Remove what has expired."""
        if self._seconds is None:
            return
        now = self._clock()
        while self._items and next(iter(self._items.values()))[2] <= now:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        if self._items:
            _, (_, size, _) = self._items.popitem(last=False)
        else:
            _, (_, size, _) = self._again.popitem(last=False)
            self._again_bytes -= size
        self.bytes -= size

    def clear(self) -> None:
        self._items.clear()
        self._again.clear()
        self.bytes = self._again_bytes = 0

    def __len__(self) -> int:
        return len(self._items) + len(self._again)

    def __contains__(self, key: K) -> bool:
        return key in self._items or key in self._again


def sweep_all() -> None:
    """Remove what has expired from every cache of this process."""
    for cache in list(_every):
        cache.sweep()


def total_bytes() -> int:
    """What all caches of this process hold, in bytes."""
    return sum(cache.bytes for cache in list(_every))


def remembered(most_bytes: int, *, longest: int = 200) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Remember what a pure function answered, as `functools.lru_cache` does, within a budget of bytes. A text of more
    than `longest` characters among the arguments is answered and not remembered. Arguments are given by position."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        known: Cache[Any, tuple[R]] = Cache(most_bytes)
        lock = Lock()  # documents are checked beside the event loop, and ask such functions too

        @wraps(function)
        def answer(*given: P.args, **named: P.kwargs) -> R:
            with lock:
                found = known.get(given)
            if found is not None:
                return found[0]
            made = function(*given, **named)
            if not named and not any(isinstance(each, str | bytes) and len(each) > longest for each in given):
                with lock:
                    known.put(given, (made,))
            return made

        answer.cache = known  # type: ignore[attr-defined]  # for tests and for the figures of an operator
        return answer

    return decorate
