"""Markdown: what is refused, that blocks put together are the text, and that what leaves as HTML is
harmless."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from i18n.content import markdown
from wego.core.errors import CostExceeded, Invalid


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\t ",
        "a\x00b",
        "half \ud800 a character",
        "abc\u202edef",
        "abc\u2066def",
        "bell \x07",
        "windows\r\nlines",
        "a <b>bold</b> word",
        "<script>alert(1)</script>",
        "before <!-- hidden --> after",
        "![a picture](https://example.org/x.png)",
        "[call](tel:112)",
        "[ftp](FTP://example.org)",
        "x" * 20_001,
    ],
)
def test_markdown_that_could_not_be_shown_as_written_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        markdown.check(text)


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "`<b>` as code",
        "```\n<script>\n```",
        "a < b and c > d",
        "[mail](mailto:a@b.example)",
        "x\n\n- a\n- b",
    ],
)
def test_markdown_that_can_be_shown_is_taken(text: str) -> None:
    markdown.check(text)


def test_titles_are_one_line() -> None:
    with pytest.raises(Invalid, match="single line"):
        markdown.check_text("a\nb", limit=100)
    markdown.check_text("a\nb", limit=100, lines=True)


def test_blocks_are_cut_at_empty_lines_between_top_level_blocks() -> None:
    assert markdown.blocks("one\n\n- a\n\n- b\n\n```\nx\n\ny\n```\n\nlast") == [
        "one", "- a\n\n- b", "```\nx\n\ny\n```", "last",
    ]  # fmt: skip
    assert markdown.blocks("a\n\n\n\nb\n") == ["a", "\n\nb\n"]
    assert markdown.blocks("") == []


_pieces = st.sampled_from(
    [
        "word",
        "\n",
        "\n\n",
        "\n\n\n",
        " ",
        "- item",
        "    code",
        "```",
        "> quote",
        "[a]: http://x",
        "|a|\n|-|\n|b|",
        "# h",
        "\t",
    ]
)


@given(st.lists(_pieces, max_size=14).map("".join) | st.text(max_size=60).filter(lambda text: "\r" not in text))
def test_blocks_put_together_are_the_text(text: str) -> None:
    assert markdown.join(markdown.blocks(text)) == text


def test_html_is_sanitised_and_headings_stay_below_those_of_the_page() -> None:
    html = markdown.render("# Top\n\n[link](https://example.org) and <i>raw</i>\n\n[bad](javascript:alert(1))")
    assert "<h3>Top</h3>" in html
    assert 'rel="nofollow noopener"' in html
    assert "<i>" not in html
    assert "javascript:" not in html.replace("(javascript:alert(1))", "")


@given(st.text(max_size=80))
@example("\r")
@example("a\r\rb\r\n\r\nc\n\n\rd")
def test_no_text_becomes_html_that_the_allow_list_does_not_know(text: str) -> None:
    html = markdown.render(text)
    assert "<script" not in html.lower()
    assert "<img" not in html.lower()


# ── what a hostile text may cost ──────────────────────────────────────────────────────────────────────────────────

PATTERNS = [
    "![", "[", "[]", "[](", "*a ", "_a_ ", "<a", "- a\n", "|a|b\n|-|-\n", "[a]: b\n", "[a](<", "![[]()", "**a",
    "# a\n", "[[a]", "*_", "[a](((", '[a](b "', "> > ", "`", "&", "\\", "[a][b]", "![a][b](c)", "<b@c>",
]  # fmt: skip


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("tail", ["", "x", " x"])
def test_no_text_makes_the_parser_look_through_more_than_it_may(pattern: str, tail: str) -> None:
    """Counted in characters that are looked through, not in seconds, which a busy machine would stretch."""
    for share in (200, 2_000, 19_000):
        text = ((pattern * share)[:share].strip() + tail * (20_000 - share))[:20_000]
        state: dict[str, int] = {}
        try:
            markdown._strict.parse(text, state)
        except CostExceeded:
            with pytest.raises(CostExceeded):
                markdown.check(text, path=("input",))
        assert state.get("scanned", 0) <= markdown.MOST_SCANNED + 20_000


def test_a_long_text_with_many_links_is_no_attack() -> None:
    links = " ".join(f"See [the report of {year}](https://example.org/reports/{year}) for it." for year in range(150))
    markdown.check(links)
    markdown.check("\n".join(f"- [report {number}](https://example.org/{number})" for number in range(400)))


def test_what_is_checked_cut_and_rendered_is_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    text, times = "A text that *nobody* wrote before.\n\nIt has two blocks.", []
    parse = markdown._parsed
    monkeypatch.setattr(markdown, "_parsed", lambda given: times.append(given) or parse(given))
    markdown.check(text)
    assert len(markdown.blocks(text)) == 2
    assert "<em>nobody</em>" in markdown.render(text)
    assert times == [text]


def test_what_cannot_be_parsed_is_shown_as_it_was_written() -> None:
    html = markdown.render("[a](" * 3_000 + "x" * 5_000 + "<script>")
    assert html.startswith("<p>")
    assert "<script>" not in html
