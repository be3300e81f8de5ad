"""The one refusal of this package: what went wrong, and what the reader can do about it."""

from __future__ import annotations

_OTHER_BUILD = "The binaries do not fit this machine; point WEGO_PG_BIN at another build."
_MORE_MEMORY = "Lower shared_buffers, or give the machine more memory."
# What PostgreSQL says -> what a person can do. The first match wins.
_HINTS = {
    "No space left on device": "Free some disk space (or memory, for a home on /dev/shm), then start again.",
    "could not look up effective user ID": "Add a line for this uid to /etc/passwd, or use an external server.",
    "Permission denied": "The account that runs PostgreSQL may not read or write a file it needs.",
    "cannot execute": _OTHER_BUILD,
    "error while loading shared libraries": "A library is missing; point WEGO_PG_BIN at another build.",
    "Exec format error": _OTHER_BUILD,
    "Cannot allocate memory": _MORE_MEMORY,
    "could not map anonymous shared memory": _MORE_MEMORY,
    "invalid locale": "This system has no C.UTF-8 locale; use PostgreSQL 17 or newer.",
    "unrecognized configuration parameter": "One of the settings in `tuning` is unknown to this version.",
}


class PostgresError(Exception):
    """The embedded PostgreSQL cannot do what was asked. `message` says why, `hint` what helps."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\nHint: {self.hint}" if self.hint else self.message


def explain(what: str, output: str, hint: str = "") -> PostgresError:
    """Turn the output of a failed program into a refusal with a hint that fits it."""
    tail = "\n".join(output.strip().splitlines()[-12:])
    found = next((advice for needle, advice in _HINTS.items() if needle in output), hint)
    return PostgresError(f"{what}: {tail}" if tail else what, found)
