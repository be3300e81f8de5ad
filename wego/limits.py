"""How many requests one client may make in a minute (per server process): a bucket that fills again."""

from __future__ import annotations

import time
from collections import OrderedDict

MOST_CLIENTS = 10_000


class Rates:
    """Token buckets by client, bounded in number: the client seen longest ago is forgotten first."""

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self.refused = 0  # for the metrics
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, client: str, now: float | None = None) -> float:
        """Take one; 0 when there was one, else the seconds until there is."""
        if not self.per_minute:
            return 0.0
        now = time.monotonic() if now is None else now
        rate = self.per_minute / 60
        left, at = self._buckets.pop(client, (float(self.per_minute), now))
        left = min(float(self.per_minute), left + (now - at) * rate)
        self._buckets[client] = (left - 1 if left >= 1 else left, now)
        if len(self._buckets) > MOST_CLIENTS:
            self._buckets.popitem(last=False)
        if left >= 1:
            return 0.0
        self.refused += 1
        return (1 - left) / rate
