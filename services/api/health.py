"""`python -m services.api.health`: the container's health check. Exits with 0 when `/health` says 200.

Imports next to nothing, because it runs every few seconds.
"""

import http.client
import os
import sys

_TIMEOUT_SECONDS = 2


def healthy(port: int) -> bool:
    """Whether the API on this machine answers 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(not healthy(int(os.environ.get("PORT", "8080"))))
