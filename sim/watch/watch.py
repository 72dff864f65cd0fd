"""The live page of a running stack as a whole: it serves what it sees, and looks once a second while it is open.

A page that nobody has open asks nothing of the stack. What it saw before is forgotten then, since nobody knows what
happened meanwhile: the next picture is drawn as the first, beside what was done by the page.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import deque
from dataclasses import replace
from typing import Final

from flask import Flask

from release.errors import ReleaseError
from services.pipeline.aws import AWS_ERRORS
from sim.errors import SimError
from sim.host.loopback import NoAnswer
from sim.stack.lifecycle import NothingRuns
from sim.stack.page import PageAddress
from sim.watch.board import Board
from sim.watch.detail import TaskDetail
from sim.watch.draw import draw
from sim.watch.guard import Guard
from sim.watch.observed import Observation
from sim.watch.picture import Kind, Moment
from sim.watch.server import create_app, serve
from sim.watch.wanted import Wanted
from sim.watch.watched import Watched

_SECONDS: Final = 1.0
_SILENT: Final = (SimError, NoAnswer, *AWS_ERRORS)
_NOTED: Final = 50


class Watch:
    """Watches a stack, and serves its page inside `with`: at any port that is free for the port 0.

    `token` is made if none is given. `socket` is the file descriptor of one that listens already.
    """

    def __init__(self, watched: Watched, port: int = 0, *, token: str = "", socket: int | None = None) -> None:
        self._watched = watched
        self._port = port
        self._token = token or secrets.token_urlsafe(24)
        self._socket = socket
        self._board = Board()
        self._noted: deque[Moment] = deque(maxlen=_NOTED)
        self._failure: Exception | None = None
        self._wake = threading.Event()
        self._over = threading.Event()

    @property
    def link(self) -> str:
        """The page's address, with the token of this run."""
        return PageAddress(self._server.port, self._token).link

    def __enter__(self) -> Watch:
        """Raises NothingRuns, or another error if the stack does not answer."""
        self._seen = self._watched.look()
        self._board.show(draw(self._seen, None))
        self._server = serve(self._port, self._app, self._socket)
        self._threads = [
            threading.Thread(target=self._server.serve_forever, name="serve the page", daemon=True),
            threading.Thread(target=self._look_on, name="look at the stack", daemon=True),
        ]
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._wake.set()
        self._server.shutdown()
        for each in self._threads:
            each.join()
        self._server.server_close()

    def wait(self) -> str:
        """Returns once the stack has ended, with the reason. Raises what went wrong if the looking has ended."""
        self._over.wait()
        if self._failure is not None:
            raise self._failure
        return self._seen.ended

    def _app(self, port: int) -> Flask:
        return create_app(Guard(port, self._token), self._board, self._detail, self._perform)

    def _detail(self, task: str) -> TaskDetail:
        return self._watched.detail(task, self._board.observation or self._watched.look())

    def _perform(self, wanted: Wanted) -> str:
        try:
            done = self._watched.perform(wanted, self._note)
        except (ReleaseError, *_SILENT) as error:
            self._note(f"{wanted.act} failed: {error}", bad=True)
            raise
        self._note(done)
        return done

    def _note(self, text: str, *, bad: bool = False) -> None:
        self._noted.append(Moment(time.time(), Kind.ACT, text, bad))
        self._wake.set()

    def _look_on(self) -> None:
        try:
            while not self._over.is_set():
                if self._board.await_reader(_SECONDS):
                    self._show(self._look())
                    self._wake.wait(_SECONDS)
                    self._wake.clear()
                else:
                    self._board.clear()
                    self._watched.check()
        except NothingRuns as error:
            self._show(replace(self._seen, ended=str(error)))
        except Exception as error:
            self._failure = error
        finally:
            self._over.set()

    def _look(self) -> Observation:
        try:
            return self._watched.look()
        except NothingRuns:
            raise
        except _SILENT as error:
            return self._watched.look_again(self._seen, str(error))

    def _show(self, seen: Observation) -> None:
        self._seen = seen
        self._board.show(draw(replace(seen, noted=tuple(self._noted)), self._board.drawn))
