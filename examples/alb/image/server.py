"""What each container of the board does, by its one argument: web or clock."""

from __future__ import annotations

import os
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    """Answers every GET with its release, and with what the load balancer has told of the request."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = f"board {os.environ.get('RELEASE', '?')} {self.headers.get('X-Amzn-Trace-Id', '-')}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Serves, or with `clock` says each ten seconds what time it is."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    while sys.argv[1] == "clock":
        print(time.strftime("%H:%M:%S"), flush=True)
        time.sleep(10)
    # Without a host it takes connections from everywhere: in its container, where the task definition maps the port.
    address = os.environ.get("HOST", ""), int(os.environ.get("PORT", "8000"))
    ThreadingHTTPServer(address, Handler).serve_forever()


if __name__ == "__main__":
    main()
