"""The text that a mail has is published, however its parts are named and whatever they are said to be."""

from __future__ import annotations

import pytest

from sim.mail import parse

HEAD = b"From: Ann <ann@example.com>\nDate: Fri, 21 Nov 1997 09:55:06 -0600\n"


def part(content_type: str, text: str, *headers: str) -> bytes:
    return "\n".join([f"Content-Type: {content_type}", *headers, "", text]).encode() + b"\n"


def multipart(subtype: str, *parts: bytes) -> bytes:
    boundary = f"in-{subtype}".encode()
    inside = b"".join(b"--" + boundary + b"\n" + each for each in parts)
    return b"Content-Type: multipart/%s; boundary=%s\n\n%s--%s--\n" % (subtype.encode(), boundary, inside, boundary)


PLAIN = part("text/plain", "plain")
HTML = part("text/html", "<p>html</p>")
BLANK = part("text/plain", " ")
NAMED = part("text/plain; name=body.txt", "named")
NAMED_HTML = part('text/html; name="body.html"', "<p>named</p>")
INLINE = part("text/plain", "named", "Content-Disposition: inline; filename=body.txt")
ATTACHED = part("text/plain", "attached", "Content-Disposition: attachment; filename=notes.txt")
MARKDOWN = part("text/markdown", "# Tea")
AMP = part("text/x-amp-html", "<p>amp</p>")
CALENDAR = part("text/calendar", "BEGIN:VCALENDAR")
CARD = part("text/vcard; name=ann.vcf", "BEGIN:VCARD")
PICTURE = part("image/png", "x")
ODD = part(
    "application/pdf; name*=utf-8''a.pdf; name*0=b.pdf", "x", "Content-Disposition: attachment; filename*0*=\xff"
)
FOOTER = part("text/plain", "footer")


@pytest.mark.parametrize(
    ("mail", "content"),
    [
        (NAMED, "named\n"),
        (ATTACHED, "attached\n"),
        (NAMED_HTML, "named"),
        (MARKDOWN, "# Tea\n"),
        (CALENDAR, "BEGIN:VCALENDAR\n"),
        (multipart("mixed", INLINE, PICTURE), "named"),
        (multipart("mixed", PICTURE, NAMED), "named"),
        (multipart("mixed", NAMED, FOOTER), "named\nfooter"),
        (multipart("mixed", PLAIN, NAMED), "plain"),
        (multipart("mixed", ATTACHED, PLAIN), "plain"),
        (multipart("mixed", ATTACHED), ""),
        (multipart("mixed", BLANK, NAMED), " \nnamed"),
        (multipart("mixed", PLAIN, ATTACHED, ODD, PICTURE), "plain"),
        (multipart("mixed", multipart("alternative", NAMED_HTML), ATTACHED), "named"),
        (multipart("mixed", PLAIN, MARKDOWN), "plain\n# Tea"),
        (multipart("mixed", PLAIN, CALENDAR, CARD), "plain"),
        (multipart("alternative", PICTURE, NAMED_HTML), "named"),
        (multipart("alternative", BLANK, NAMED_HTML), "named"),
        (multipart("alternative", MARKDOWN, HTML), "html"),
        (multipart("alternative", MARKDOWN, PICTURE), "# Tea"),
        (multipart("alternative", AMP, PLAIN), "plain"),
        (multipart("alternative", AMP), "amp"),
        (multipart("alternative", CALENDAR, HTML), "html"),
        (multipart("alternative", BLANK, CALENDAR), "BEGIN:VCALENDAR"),
        (multipart("related", NAMED_HTML, PICTURE), "named"),
        (multipart("report", PLAIN, part("text/rfc822-headers", "Subject: x")), "plain"),
    ],
)
def test_the_text_that_a_mail_has(mail: bytes, content: str) -> None:
    assert parse(HEAD + mail).email_content == content
