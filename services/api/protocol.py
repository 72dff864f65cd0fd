"""HTTP/1.1 on one connection as uvicorn speaks it, and what it leaves to a proxy: a head has an end, and who breaks the
rules is told in the API's own words."""

from __future__ import annotations

import json
import logging
import uuid

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from services.api.problems import CONTENT_TYPE, MALFORMED_REQUEST

log = logging.getLogger(__name__)

MAX_HEAD_BYTES = 524_288
"""More than the 64 KiB that the load balancer takes, and than what is read from a connection at a time."""


class Http(HttpToolsProtocol):
    """A connection. What it takes no further is answered with a problem, and closed."""

    _head_bytes: int | None = None
    """Of a head that has begun and not come whole."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_bytes = 0

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._head_bytes = None

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._head_bytes is None or self.transport.is_closing():
            return
        self._head_bytes += len(data)
        if self._head_bytes > MAX_HEAD_BYTES:
            self.send_400_response(f"The head has more than {MAX_HEAD_BYTES} bytes.")

    def send_400_response(self, msg: str) -> None:
        """Answers with MALFORMED_REQUEST, whatever it was; `msg` is for the log."""
        request_id = uuid.uuid4().hex
        log.info("request refused", extra={"request_id": request_id, "status": 400, "cause": msg})
        body = json.dumps(MALFORMED_REQUEST.document(request_id)).encode()
        headers = [
            *self.server_state.default_headers,
            (b"content-type", CONTENT_TYPE.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"x-request-id", request_id.encode()),
            (b"connection", b"close"),
        ]
        head = b"".join(b"%s: %s\r\n" % header for header in headers)
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\n%s\r\n%s" % (head, body))
        self.transport.close()
