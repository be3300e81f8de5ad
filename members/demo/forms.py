"""A small real PDF for the demonstration: the application form as if signed and scanned.

Binding text: ISO 32000-1 section 7.5 (file structure). One page, one of the standard fonts, Latin-1 text.
"""

from __future__ import annotations

from collections.abc import Sequence


def signed_form(city: str, signatory: str) -> bytes:
    """The form of one city, "signed" by a role: no person is named."""
    lines = [
        "WeGO - Application for membership",
        f"City: {city}",
        f"Signed by: {signatory}",
        "This form belongs to the demonstration network. Nobody signed it.",
    ]
    return pdf(lines)


def pdf(lines: Sequence[str]) -> bytes:
    """One page of text, line under line."""
    shown = " ".join(f"({_escaped(line)}) Tj 0 -24 Td" for line in lines)
    drawing = f"BT /F1 14 Tf 72 770 Td {shown} ET".encode("latin-1", "replace")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawing), drawing),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    return _file(objects)


def _file(objects: Sequence[bytes]) -> bytes:
    body, places = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(body))
    return body + b"xref\n0 %d\n0000000000 65535 f \n%s%s" % (size, table, trailer)


def _escaped(line: str) -> str:
    return line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
