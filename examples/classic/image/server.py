"""What each container of the shop does, by its one argument: web, words, admin or watch."""

from __future__ import annotations

import os
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import urlopen

RELEASE = os.environ.get("RELEASE", "?")


def page() -> str:
    """What a GET answers. The web asks its linked container for the words."""
    if sys.argv[1] == "web":
        with urlopen("http://words:8000/", timeout=5) as answer:
            return f"web {RELEASE} {answer.read().decode()}"
    return f"{sys.argv[1]} {RELEASE}"


class Handler(BaseHTTPRequestHandler):
    """Answers every GET with the page."""

    def do_GET(self) -> None:
        body = page().encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Serves, or with `watch` says each ten seconds that it is there."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    while sys.argv[1] == "watch":
        print("watching", flush=True)
        time.sleep(10)
    # In its container, where the task definition maps the port.
    ThreadingHTTPServer(("0.0.0.0", 8000), Handler).serve_forever()


if __name__ == "__main__":
    main()
