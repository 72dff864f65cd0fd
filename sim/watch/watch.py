"""The live page of a running stack as a whole: it looks once a second, and serves what it sees."""

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


class Watch:
    """Watches a stack, and serves its page inside `with`."""

    def __init__(self, watched: Watched, port: int = 0) -> None:
        self._watched = watched
        self._port = port
        self._board = Board()
        self._noted: deque[Moment] = deque()
        self._failure: Exception | None = None
        self._wake = threading.Event()
        self._over = threading.Event()

    @property
    def link(self) -> str:
        """The page's address, with the token of this run where no server and no log sees it."""
        return f"http://127.0.0.1:{self._server.port}/#{self._token}"

    def __enter__(self) -> Watch:
        """Raises NothingRuns, or another error if the stack does not answer."""
        self._board.show(draw(self._watched.look(), None))
        self._token = secrets.token_urlsafe(24)
        self._server = serve(self._port, self._app)
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
        return self._board.observation.ended if self._board.observation else ""

    def _app(self, port: int) -> Flask:
        return create_app(Guard(port, self._token), self._board, self._detail, self._perform)

    def _detail(self, task: str) -> TaskDetail:
        observation = self._board.observation
        assert observation is not None  # noqa: S101 - there is a picture before there is a server
        return self._watched.detail(task, observation)

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
                self._wake.wait(_SECONDS)
                self._wake.clear()
                self._draw_next()
        except Exception as error:
            self._failure = error
            self._over.set()

    def _draw_next(self) -> None:
        before = self._board.drawn
        assert before is not None  # noqa: S101 - the first was drawn at the beginning
        noted = [self._noted.popleft() for _ in range(len(self._noted))]
        seen = self._look(before.observation)
        self._board.show(draw(replace(seen, noted=noted), before))
        if seen.ended:
            self._over.set()

    def _look(self, before: Observation) -> Observation:
        try:
            return self._watched.look()
        except NothingRuns as error:
            return replace(before, ended=str(error))
        except _SILENT as error:
            return self._look_again(before, str(error))

    def _look_again(self, before: Observation, trouble: str) -> Observation:
        try:
            return self._watched.look_again(before, trouble)
        except NothingRuns as error:
            return replace(before, ended=str(error))
