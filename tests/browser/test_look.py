"""Every page in a browser: no violation of WCAG that axe finds, nothing from elsewhere, nothing sideways, all with the
keyboard.

Binding texts: WCAG 2.2 AA, among them 1.4.10 (reflow), 1.4.12 (text spacing), 2.4.1 (skip), 2.5.8 (targets of 24 px).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from i18n.language.locales import LOCALES

AXE = (Path(__file__).parent / "axe.min.js").read_text("utf-8")
RULES = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}"
PAGES = (
    "", "practices", "practices?theme=2017.open-city", "practices?q=nothing-fits-this", "practices/seoul-wiki",
    "practices/mobile-seoul", "cities", "cities/seoul", "members", "developers?run=example_city", "nothing",
)  # fmt: skip
WIDTHS = ((1280, 900), (390, 844))
SPACED = (
    "* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }"
    " p { margin-block-end: 2em !important }"
)
SIDEWAYS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
# Links inside sentences and cells are as high as their line (2.5.8, exception for inline targets).
SMALL = """() => [...document.querySelectorAll('a, button, input, select, summary')].filter(each => {
  const box = each.getBoundingClientRect();
  if (!box.width || !box.height || each.matches('.skip, [type=checkbox]')) return false;
  const inline = each.closest('p:not(.marks):not(.deeds):not(.legend):not(.pager), td, .words-of, dd, h2, h3');
  return !inline && (box.width < 24 || box.height < 24);
}).map(each => each.outerHTML.slice(0, 120))"""


@asynccontextmanager
async def page_in(
    browser: Any, address: str, width: int, height: int, **wish: Any
) -> AsyncIterator[tuple[Any, list[str]]]:
    """A page, and what it complained of: errors of the console, and requests that leave the hub."""
    context = await browser.new_context(viewport={"width": width, "height": height}, **wish)
    page = await context.new_page()
    wrong: list[str] = []
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith((address, "data:")) else wrong.append(asked.url))
    try:
        yield page, wrong
    finally:
        await context.close()


@pytest.mark.timeout(900)
@pytest.mark.parametrize("locale", ["en", "ko", "ar"])
async def test_every_page_is_accessible_and_quiet(browser: Any, address: str, locale: str):
    """At both widths, light and dark."""
    async with page_in(browser, address, *WIDTHS[0], reduced_motion="reduce") as (page, wrong):
        for path in PAGES:
            wrong.clear()
            await page.goto(f"{address}/{locale}/{path}")
            await page.evaluate(AXE)
            for width, height in WIDTHS:
                await page.set_viewport_size({"width": width, "height": height})
                for scheme in ("light", "dark"):
                    await page.emulate_media(color_scheme=scheme)
                    here = (path, width, scheme)
                    assert await violations(page) == [], here
                    assert await page.evaluate(SIDEWAYS) <= 0, here
                    assert await page.evaluate(SMALL) == [], here
            assert [each for each in wrong if "404" not in each] == [], path


async def violations(page: Any) -> list[tuple[str, Any, str]]:
    """What axe finds: the rule, where, and the element."""
    found = await page.evaluate(f"axe.run(document, {RULES})")
    return [(each["id"], each["nodes"][0]["target"], each["nodes"][0]["html"]) for each in found["violations"]]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("locale", LOCALES)
async def test_no_page_scrolls_sideways_on_the_smallest_phone_with_spaced_text(browser: Any, address: str, locale: str):
    async with page_in(browser, address, 320, 640) as (page, _):
        for path in PAGES:
            await page.goto(f"{address}/{locale}/{path}")
            await page.evaluate(
                "style => { const made = new CSSStyleSheet(); made.replaceSync(style);"
                " document.adoptedStyleSheets = [made] }",
                SPACED,
            )
            assert await page.evaluate(SIDEWAYS) <= 0, (locale, path)


async def test_a_reader_with_the_keyboard_alone_finds_and_reads_a_practice(browser: Any, address: str):
    async with page_in(browser, address, 1280, 900, java_script_enabled=True) as (page, _):
        await page.goto(f"{address}/en/")
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.className") == "skip"
        await page.keyboard.press("Enter")
        assert await page.evaluate("location.hash") == "#main"
        await page.keyboard.press("Tab")
        await page.keyboard.type("wiki")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/practices?q=wiki")
        link = page.locator(".results h3 a").first
        await link.focus()
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/practices/seoul-wiki")
        assert "Seoul Wiki" in await page.locator("h1").inner_text()


async def test_everything_is_there_without_script(browser: Any, address: str):
    async with page_in(browser, address, 390, 844, java_script_enabled=False) as (page, wrong):
        await page.goto(f"{address}/en/practices")
        before = await page.locator(".results > li").count()
        await page.locator("input[name=theme]").first.check()
        await page.locator(".facets .button").click()
        await page.wait_for_url("**theme=**")
        assert 0 < await page.locator(".results > li").count() < before
        await page.locator(".chip").first.click()
        assert await page.locator(".results > li").count() == before
        assert wrong == []


async def test_a_page_prints_with_its_provenance_and_without_what_only_a_screen_needs(browser: Any, address: str):
    async with page_in(browser, address, 1280, 900) as (page, _):
        await page.goto(f"{address}/ar/practices/seoul-wiki")
        await page.emulate_media(media="print")
        assert await page.locator(".provenance").is_visible()
        for hidden in (".words", ".foot", ".tongues", ".contents", ".deeds"):
            assert not await page.locator(hidden).first.is_visible(), hidden
        assert (await page.pdf())[:5] == b"%PDF-"


async def test_every_page_can_be_read_in_forced_colours(browser: Any, address: str):
    async with page_in(browser, address, 1280, 900, forced_colors="active") as (page, wrong):
        for path in PAGES[:-1]:
            await page.goto(f"{address}/en/{path}")
            assert await page.locator("h1").is_visible()
        assert wrong == []
