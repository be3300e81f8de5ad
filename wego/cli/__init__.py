"""The command line: for operators, in English."""

from wego.cli.main import main

__all__ = ["main"]
