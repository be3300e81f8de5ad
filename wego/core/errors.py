"""Every way in which the hub says no.

    Refusal                  code             HTTP
    ├── NotSignedIn          NOT_SIGNED_IN    401
    ├── NotAllowed           NOT_ALLOWED      403
    ├── NotFound             NOT_FOUND        404   also for what the caller may not see
    ├── Conflict             CONFLICT         409   the state of things forbids it
    ├── Invalid              INVALID          400   what was sent is wrong; `path` says where
    ├── CostExceeded         COST_EXCEEDED    400   a limit, named in the message
    ├── RateLimited          RATE_LIMITED     429   `seconds` says when to come again
    └── Unavailable          UNAVAILABLE      503   busy, or the database is away; `seconds` likewise
    Refusals                 several at once, such as all that is wrong with a form

A message is an English sentence with `{placeholders}`; it is the key of the catalogs, is extracted by
`wego.problems.extract`, and becomes words for a reader only in `wego/problems.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

RETRY_SECONDS = 2  # where nothing better is known
MOST_TOLD = 100  # refusals of one request: more help nobody, and an answer is bounded as well


class Refusal(Exception):
    """One reason why something was not done. Nothing has changed when it is raised."""

    code = "INVALID"
    status = 400

    def __init__(self, message: str, /, *, path: Sequence[str | int] = (), **params: object) -> None:
        super().__init__(message)
        self.message = message
        self.path = tuple(path)
        self.params = params
        self.locations: tuple[tuple[int, int], ...] = ()  # line and column in a document, where it is about a place

    @property
    def retry_after(self) -> int | None:
        """After how many seconds to try again, where that helps."""
        if self.status not in {429, 503}:
            return None
        seconds = self.params.get("seconds")
        return seconds if isinstance(seconds, int) else RETRY_SECONDS

    @property
    def each(self) -> tuple[Refusal, ...]:
        """This refusal as a tuple of simple ones."""
        return (self,)


class NotSignedIn(Refusal):
    code, status = "NOT_SIGNED_IN", 401


class NotAllowed(Refusal):
    code, status = "NOT_ALLOWED", 403


class NotFound(Refusal):
    code, status = "NOT_FOUND", 404


class Conflict(Refusal):
    code, status = "CONFLICT", 409


class Invalid(Refusal):
    code, status = "INVALID", 400


class CostExceeded(Refusal):
    code, status = "COST_EXCEEDED", 400


class RateLimited(Refusal):
    code, status = "RATE_LIMITED", 429


class Unavailable(Refusal):
    code, status = "UNAVAILABLE", 503


def busy(seconds: int = 2) -> Unavailable:
    """Too much waits already; `seconds` says when to come again."""
    return Unavailable("The hub is busy; try again in {seconds} seconds.", seconds=seconds)


class Refusals(Refusal):
    """Several refusals at once, the first hundred of them; it carries the code of the first."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        super().__init__(refusals[0].message, path=refusals[0].path, **refusals[0].params)
        self.refusals = tuple(refusals[:MOST_TOLD])
        self.code, self.status = self.refusals[0].code, self.refusals[0].status

    @property
    def each(self) -> tuple[Refusal, ...]:
        return self.refusals
