"""What a client tells the keeper that it starts: an order, as a command line and back."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from pathlib import Path

BUSY = 75  # the keeper's exit code when another one is there


@dataclass(frozen=True)
class Order:
    """What the client that starts a keeper wants."""

    attempt: str
    grace: float = 5.0
    binaries: Path | None = None
    tcp_port: int | None = None
    tuning: dict[str, str] = field(default_factory=dict)

    def arguments(self, home: Path) -> list[str]:
        """The command line that says the same."""
        words = [str(home), "--attempt", self.attempt, "--grace", str(self.grace)]
        words += ["--bin", str(self.binaries)] if self.binaries else []
        words += ["--tcp-port", str(self.tcp_port)] if self.tcp_port is not None else []
        return words + [part for name, value in self.tuning.items() for part in ("--set", f"{name}={value}")]


def read_arguments(argv: list[str]) -> tuple[Path, Order]:
    """The inverse of `Order.arguments`."""
    parser = argparse.ArgumentParser(prog="wego.postgres.keeper")
    parser.add_argument("home", type=Path)
    parser.add_argument("--attempt", required=True)
    parser.add_argument("--grace", type=float, default=5.0)
    parser.add_argument("--bin", type=Path)
    parser.add_argument("--tcp-port", type=int)
    parser.add_argument("--set", action="append", default=[])
    told = parser.parse_args(argv)
    tuning = dict(pair.split("=", 1) for pair in told.set)
    return told.home, Order(told.attempt, told.grace, told.bin, told.tcp_port, tuning)
