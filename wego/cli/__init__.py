"""The command line: for operators, in English."""

from wego.core.memory import collect_rarely

__all__ = ["main"]


def main() -> None:
    """The console script."""
    collect_rarely()
    from wego.cli.main import start

    start()
