"""Files of text as people's programs write them, and how they become the one kind of text that the hub keeps.

A byte order mark at the beginning names the encoding (Unicode 16, section 23.8); a file without one is UTF-8. Whatever
ends a line (CR LF of Windows, CR of old Macs) becomes a line feed. What is neither is refused: a guess would turn the
letters of a page of code into others without a word.
"""

from __future__ import annotations

import codecs

from wego.core.errors import Invalid

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


def decoded(raw: bytes) -> str:
    """The text of a file, without its byte order mark, and with line feeds alone."""
    mark, encoding = next(((mark, name) for mark, name in _MARKS if raw.startswith(mark)), (b"", "utf-8"))
    try:
        text = raw[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, len(mark) + error.start) + 1
        raise Invalid("Line {line} is not text in UTF-8: save the file in this encoding.", line=line) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")
