"""How an error of ours is written down: where it was raised, all the way, and nothing of what people wrote.

What a database says of a value, it quotes; so of its errors the kind and the code are told, and of others the message.
"""

from __future__ import annotations

import traceback


def traced(error: BaseException) -> str:
    """The error with its frames, after what it was raised from."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    parts = [traced(before), "which led to:"] if before is not None else []
    if isinstance(error, BaseExceptionGroup):
        parts += [traced(each) for each in error.exceptions]
    return "\n".join([*parts, "".join(traceback.format_tb(error.__traceback__)) + _named(error)])


def _named(error: BaseException) -> str:
    kind = f"{type(error).__module__}.{type(error).__qualname__}"
    if kind.startswith(("asyncpg.", "sqlalchemy.", "psycopg.")):
        code = getattr(error, "sqlstate", None)
        return f"{kind} ({code})" if code else kind
    return f"{kind}: {error}"
