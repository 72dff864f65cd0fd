"""`python -m bench.instance PORT`: answers every request at once, with little more than its status."""

from __future__ import annotations

import asyncio
import sys

import uvloop

from sim.cloud.http import Request, Response, ServerConnection

_OK = Response(200, [(b"Content-Type", b"application/json")], b'{"status": "ok"}')


class _Connection(ServerConnection):
    def handle(self, _: Request) -> None:
        self.send(_OK)


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(_Connection, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
