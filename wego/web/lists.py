"""What a list was asked for by its address: conditions, order and page, as variables of its document."""

from __future__ import annotations

from typing import Any

from wego.core.errors import Invalid
from wego.core.reads.documents import GraphQLErrors
from wego.web.shell import Page

PAGE = 12


def window(page: Page, size: int = PAGE) -> dict[str, Any]:
    """Which page of the list: after one cursor, or before one."""
    before = page.query.get("before", "")[:500]
    after = page.query.get("after", "")[:500]
    if before:
        return {"last": size, "before": before}
    return {"first": size, **({"after": after} if after else {})}


def picked(page: Page, name: str, known: Any, default: str = "") -> str:
    """The value of a choice; what is none of those that are offered counts as not chosen."""
    value = page.query.get(name, "")
    return value if value in known else default


def filtered(**conditions: Any) -> dict[str, Any]:
    """The conditions that were given."""
    return {name: value for name, value in conditions.items() if value}


async def asked_or_all(page: Page, package: str, name: str, variables: dict[str, Any]) -> dict[str, Any]:
    """The list; without its conditions where one of them is none that the hub knows, such as of an old address."""
    try:
        return await page.ask(package, name, **variables)
    except (Invalid, GraphQLErrors):
        return await page.ask(package, name, **{**variables, "filter": None, "after": None, "before": None})
