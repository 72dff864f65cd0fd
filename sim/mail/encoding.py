"""Bytes as a mail declares them, made text. Nothing in here fails: real mail lies about its bytes."""

from __future__ import annotations

import base64
import codecs
import re
from contextlib import suppress

# Names of charsets seen in mail that Python does not know. https://encoding.spec.whatwg.org/#names-and-labels
_LABELS = {
    "iso-8859-8-e": "iso8859-8",
    "iso-8859-8-i": "iso8859-8",
    "windows-31j": "cp932",
    "windows-949": "cp949",
    "x-gbk": "gb18030",
    "x-sjis": "cp932",
}

# What senders mean by a charset is the larger one that their system really wrote. As browsers do, same page.
_LARGER = {
    "big5": "cp950",
    "euc_kr": "cp949",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "iso2022_jp": "iso2022_jp_ext",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "shift_jis": "cp932",
    "tis-620": "cp874",
}

_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")


def text(data: bytes, charset: str | None = None) -> str:
    """The text that `data` is in `charset`, U+FFFD for what is no character of it.

    Without a charset, with one that nobody knows, and with US-ASCII (which says nothing about bytes beyond it): UTF-8
    if the bytes are UTF-8, otherwise windows-1252.
    """
    with suppress(LookupError, ValueError):  # no charset at all, or a codec of Python's that is none, such as "idna"
        if charset and (codec := _codec(charset)) != "ascii":
            return data.decode(codec, "replace")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def base64_bytes(data: bytes) -> bytes:
    """The bytes in base64 `data`, up to its padding; strays are skipped and a cut last character is left out.

    https://www.rfc-editor.org/rfc/rfc2045#section-6.8
    """
    digits = _NOT_BASE64.sub(b"", data.partition(b"=")[0])
    if len(digits) % 4 == 1:
        digits = digits[:-1]
    return base64.b64decode(digits + b"=" * (-len(digits) % 4))


def _codec(charset: str) -> str:
    label = charset.strip().lower()
    name = codecs.lookup(_LABELS.get(label, label)).name
    return _LARGER.get(name, name)
