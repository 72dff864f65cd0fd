"""What a reader sees of an HTML mail, as plain text."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_UNSEEN = {"script", "style", "title"}
_PARAGRAPHS = {"blockquote", "dl", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "ol", "p", "pre", "table", "ul"}
_LINES = {"address", "article", "aside", "body", "dd", "div", "dt", "footer", "header", "li", "main", "section", "tr"}
_CELLS = {"td", "th"}
_CHARSET = re.compile(rb"""<(?:meta|\?xml)\s[^>]*?(?:charset|encoding)\s*=\s*["']?\s*([^\s"'/>;]+)""", re.IGNORECASE)
_LONGEST_DECLARATION = 1024  # bytes
_WHITE_SPACE = re.compile(r"[ \t\n\r\f]+")


def charset_of(html: bytes) -> str | None:
    """The charset that the HTML itself declares, or None. UTF-16 is a lie there, because its ASCII could be read.

    https://html.spec.whatwg.org/multipage/parsing.html#prescan-a-byte-stream-to-determine-its-encoding
    """
    declared = _CHARSET.search(html, 0, _LONGEST_DECLARATION)
    charset = declared[1].decode("latin-1") if declared else None
    return "utf-8" if charset and charset.lower().startswith("utf-16") else charset


def text_of(html: str) -> str:
    """The text of `html`: a line for each block and line break, an empty line around a paragraph, a list or a table.

    White space is collapsed except in `pre`. https://html.spec.whatwg.org/multipage/dom.html#the-innertext-idl-attribute
    """
    # A tag that is still open where the mail ends is left out: Python's parser takes forever over many of them.
    whole, end, rest = html.rpartition(">")
    text_after = rest.partition("<")[0]
    reader = _Reader()
    # To HTML a "<![" is the beginning of a comment; Python's parser raises an error for most that are not SGML's.
    reader.feed((whole + end + text_after).replace("<![", "<!-["))
    reader.close()
    return reader.text()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self._lines: list[str] = []
        self._line: list[str] = []
        self._unseen: str | None = None
        self._preformatted = False

    def text(self) -> str:
        self._end_line()
        return "\n".join(self._lines).strip("\n")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        if tag in _UNSEEN and self._unseen is None:
            self._unseen = tag
        elif tag == "br":
            self._end_line(even_if_empty=True)
        elif tag in _CELLS and self._line:
            self._line.append(" ")
        self._end_block(tag)
        self._preformatted |= tag == "pre"

    def handle_endtag(self, tag: str) -> None:
        if tag == self._unseen:
            self._unseen = None
        self._end_block(tag)
        self._preformatted &= tag != "pre"

    def handle_data(self, data: str) -> None:
        if self._unseen is None:
            self._line.append(data)

    def _end_block(self, tag: str) -> None:
        if tag in _PARAGRAPHS | _LINES:
            self._end_line()
        if tag in _PARAGRAPHS and self._lines and self._lines[-1]:
            self._lines.append("")

    def _end_line(self, *, even_if_empty: bool = False) -> None:
        line = "".join(self._line)
        line = line.strip("\n") if self._preformatted else _WHITE_SPACE.sub(" ", line).strip(" ")
        self._line.clear()
        if line or even_if_empty:
            self._lines.append(line)
