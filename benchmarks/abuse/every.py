"""All attacks: loading their modules is what registers them."""

from __future__ import annotations

from benchmarks.abuse import attacks_done, attacks_kept, attacks_signed, attacks_wire  # noqa: F401  # they register
from benchmarks.abuse.attacks import ATTACKS, EVERYTHING, Attack
from benchmarks.abuse.wire import Attacker


def load() -> dict[str, Attack]:
    """All attacks, by name."""
    ATTACKS.setdefault(EVERYTHING, Attack(EVERYTHING, "one attacker of each kind, all at once", _never, len(ATTACKS)))
    return ATTACKS


async def _never(_one: Attacker) -> None:
    """`attackers.py` runs the others in its place."""
