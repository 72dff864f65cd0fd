"""The text of a mail that a reader is shown, out of the parts that it is made of."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import Message
from enum import IntEnum
from functools import cached_property
from typing import cast

from sim.mail import encoding, markup

_ENCODINGS = {"base64", "quoted-printable", "uuencode", "uue", "x-uue", "x-uuencode"}

# Texts that programs read, not people.
_DATA = {"calendar", "css", "directory", "javascript", "rfc822-headers", "vcard", "x-vcard"}


class _Kind(IntEnum):
    """The kinds of text, the one that is shown of alternatives first."""

    PLAIN = 0
    HTML = 1
    OTHER = 2
    DATA = 3


@dataclass(frozen=True)
class _Text:
    part: Message
    kind: _Kind
    is_named: bool
    """Whether it has a file name, and so is an attachment if the mail has another text."""
    in_utf8: bool

    @cached_property
    def text(self) -> str:
        """Decoded when it is wanted, since a text that is not shown may be in a charset that nobody knows."""
        return _decoded(self.part, in_html=self.kind == _Kind.HTML, in_utf8=self.in_utf8)


def charset_of(mail: Message) -> str | None:
    """The charset that the mail's first text declares, or None."""
    charsets = (part.get_param("charset") for part in mail.walk() if part.get_content_maintype() != "multipart")
    return next((str(charset) for charset in charsets if charset), None)


def text_of(mail: Message, *, in_utf8: bool) -> str:
    """The texts of a mail that a reader is shown, a line break between them.

    - Of alternatives the plain text, else HTML made plain; of a mixed mail all texts.
    - A text of a subtype that nobody knows is plain.
    - Attachments and mails within the mail are left out. So is what has a file name or is for programs (a calendar,
      a card), if there is another text. The first part of a mail may have a name, and a text that is the whole mail
      may be called an attachment.

    The empty string if there is no text. `in_utf8` says that a text editor has saved the mail, so that what is not
    encoded is in UTF-8 whatever it declares. Raises UnknownCharset if a text that is shown cannot be decoded.

    https://www.rfc-editor.org/rfc/rfc2046#section-4.1.4 and section 5.1
    """
    texts = _texts(mail, is_body=True, in_utf8=in_utf8)
    for shown in (
        [text for text in texts if not text.is_named and text.kind != _Kind.DATA],
        [text for text in texts if text.kind != _Kind.DATA],
        texts,
    ):
        if any(text.text.strip() for text in shown):
            return "\n".join(text.text for text in shown)
    return "\n".join(text.text for text in texts)


def _texts(part: Message, *, is_body: bool, in_utf8: bool) -> list[_Text]:
    """All texts of a part but attachments. `is_body` says that what it shows is the mail's text, whatever its name."""
    if part.is_multipart():
        return _texts_of_multipart(part, is_body=is_body, in_utf8=in_utf8)
    kind = _kind(part)
    if kind is None:
        return []
    is_named = part.get_filename() is not None and not is_body
    return [_Text(part, kind, is_named, in_utf8)]


def _texts_of_multipart(part: Message, *, is_body: bool, in_utf8: bool) -> list[_Text]:
    if part.get_content_maintype() != "multipart":  # message/rfc822: a mail within the mail
        return []
    is_alternative = part.get_content_subtype() == "alternative"
    children = [
        texts
        for number, child in enumerate(cast("list[Message]", part.get_payload()))
        if child.get_content_disposition() != "attachment"
        and (texts := _texts(child, is_body=is_body and (is_alternative or number == 0), in_utf8=in_utf8))
    ]
    match part.get_content_subtype():
        case "alternative":
            return min(children, key=_shown_last, default=[])
        case "related":
            return children[0] if children else []
        case _:
            return [text for texts in children for text in texts]


def _shown_last(alternative: list[_Text]) -> tuple[bool, _Kind]:
    """Blank texts after all others, then by kind: senders of HTML alone often add an empty plain text."""
    return not any(text.text.strip() for text in alternative), max(text.kind for text in alternative)


def _kind(part: Message) -> _Kind | None:
    if part.get_content_maintype() == "multipart":
        # It has no parts, so it has lost its boundary: what it has is read as the plain text that it mostly is.
        return _Kind.PLAIN
    if part.get_content_maintype() != "text":
        return None
    subtype = part.get_content_subtype()
    if subtype == "plain":
        return _Kind.PLAIN
    if "html" in subtype:
        return _Kind.HTML
    return _Kind.DATA if subtype in _DATA else _Kind.OTHER


def _decoded(part: Message, *, in_html: bool, in_utf8: bool) -> str:
    transfer_encoding = part.get("Content-Transfer-Encoding", "")
    if transfer_encoding == "base64":  # hidden from the library, which hands back undecoded much that ours can decode
        del part["Content-Transfer-Encoding"]
    data = cast("bytes", part.get_payload(decode=True))  # a part with text in it is no multipart, whatever its type
    if transfer_encoding == "base64":
        data = encoding.base64_bytes(data)
    charset = "utf-8" if in_utf8 and transfer_encoding not in _ENCODINGS else part.get_param("charset")
    if not in_html:
        return encoding.text(data, str(charset or ""))
    return markup.text_of(encoding.text(data, str(charset or ""), markup.charset_of(data)))
