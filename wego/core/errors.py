"""Every way in which the hub says no.

    Refusal                  code             HTTP
    ├── NotSignedIn          NOT_SIGNED_IN    401
    ├── NotAllowed           NOT_ALLOWED      403
    ├── NotFound             NOT_FOUND        404   also for what the caller may not see
    ├── Conflict             CONFLICT         409   the state of things forbids it
    ├── Invalid              INVALID          400   what was sent is wrong; `path` says where
    ├── CostExceeded         COST_EXCEEDED    400   a limit, named in the message
    ├── RateLimited          RATE_LIMITED     429
    └── Busy                 BUSY             503   others were first; the same may be sent again
    Refusals                 several at once, such as all that is wrong with a form

A message is an English sentence with `{placeholders}`; it is the key of the catalogs, is extracted by
`wego.problems.extract`, and becomes words for a reader only in `wego/problems.py`.
"""

from __future__ import annotations

from collections.abc import Sequence


class Refusal(Exception):
    """One reason why something was not done. Nothing has changed when it is raised."""

    code = "INVALID"
    status = 400

    def __init__(self, message: str, /, *, path: Sequence[str | int] = (), **params: object) -> None:
        super().__init__(message)
        self.message = message
        self.path = tuple(path)
        self.params = params

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


class Busy(Refusal):
    code, status = "BUSY", 503


class Refusals(Refusal):
    """Several refusals at once; it carries the code of the first."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        super().__init__(refusals[0].message, path=refusals[0].path, **refusals[0].params)
        self.refusals = tuple(refusals)
        self.code, self.status = self.refusals[0].code, self.refusals[0].status

    @property
    def each(self) -> tuple[Refusal, ...]:
        return self.refusals
