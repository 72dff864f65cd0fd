"""One request on its way to an instance, and the answer on its way back.

It stands between the two connections and holds no more than what has been read of the request before there is a
connection to write it to. When one side is slow, the other is not read.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from sim.cloud.edge import forwarding
from sim.cloud.edge.messages import Body, Malformed, Request, Response, request_body
from sim.cloud.edge.record import Record
from sim.cloud.edge.target import TargetConnection
from sim.cluster.balancer import stickiness
from sim.cluster.balancer.answers import OwnAnswer
from sim.cluster.balancer.routing import Queue, Send, route
from sim.cluster.balancer.stickiness import Stickiness

if TYPE_CHECKING:
    from sim.cloud.edge.client import ClientConnection
    from sim.cloud.edge.node import Node


class Exchange:
    """A request of a client's connection. `began` is when it began to come, by `time.time`.

    `closes` says that neither side's connection is used again.
    """

    def __init__(self, client: ClientConnection, node: Node, request: Request, began: float, *, closes: bool) -> None:
        self.head = request.head
        self.minor = 0 if request.head.version == b"HTTP/1.0" else 1
        self.record = Record(began)
        self.ended = False
        """True if the client has its whole answer, or gets none."""
        self._client = client
        self._answers = client.listener.answers
        self._stickiness = client.listener.stickiness
        self._node = node
        self._request = request
        self._body = request_body(request.fields)
        self._chunked = request.fields.chunked
        self._keeps = not closes and forwarding.keeps_alive(self.minor, request.fields.options)
        self._expects = not self._body.done and b"expect" in request.fields.names
        self._target = ""
        self._connection: TargetConnection | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._pending: list[bytes] = []
        self._tried: set[str] = set()
        self._sent_at = 0.0
        self._answer_body: Body | None = None
        self._in_chunks = False
        self._answer: list[bytes] = []

    @property
    def request_is_whole(self) -> bool:
        """True if the client has sent all of it."""
        return self._body.done

    @property
    def has_answer(self) -> bool:
        """True if the head of an answer went to the client."""
        return self._answer_body is not None

    def start(self) -> None:
        """Sends the request on its way."""
        self._write(forwarding.to_target(self._request, self._client.described))
        self._route()

    def refuse(self, answer: OwnAnswer) -> None:
        """The balancer answers by itself."""
        self._keeps = self._keeps and not answer.closes
        self.record.refused(answer.status)
        self._leave_target()
        bodiless = self.head.method == b"HEAD"
        keeps = self._keeps_after_early_answer()
        self._client.answer_itself(answer, minor=self.minor, keeps=keeps, bodiless=bodiless)
        self._end()

    def receive(self, data: bytes) -> bytes:
        """Takes what came of the request's body. Returns what is behind its end."""
        try:
            payload, rest = self._body.feed(data)
        except Malformed:
            self._request_is_malformed()
            return b""
        if not self.ended:
            self.record.received += len(payload)
            if self._chunked:
                payload = forwarding.chunk(payload)
                if self._body.done:
                    payload += forwarding.last_chunk(self._body.trailers)
            if payload:
                self._write(payload)
        return rest

    def touch(self) -> None:
        """Bytes came from the instance."""
        self._client.touch()

    def interim(self, head: Response) -> None:
        """The instance has answered with an interim answer."""
        if self.minor:
            self._client.write(forwarding.interim(head))

    def answer(self, head: Response, body: Body) -> None:
        """The head of the instance's answer has come, and says how its body is framed."""
        now = time.time()
        self.record.answered(head.status, now, self._sent_at)
        self._answer_body = body
        self._in_chunks = forwarding.goes_in_chunks(body, minor=self.minor)
        if not self._in_chunks and not forwarding.has_length(body):
            self._keeps = False
        self._keeps = self._keeps_after_early_answer()
        self._answer.append(
            forwarding.to_client(
                head,
                body,
                minor=self.minor,
                keeps=self._keeps,
                cookies=self._cookies(head, self._stickiness) if self._stickiness else (),
            )
        )

    def answer_goes_on(self, payload: bytes) -> None:
        """A part of the answer's body has come."""
        self.record.sent += len(payload)
        self._answer.append(forwarding.chunk(payload) if self._in_chunks else payload)

    def flush(self) -> None:
        """Sends the client what has come of the answer, in one piece: a write costs as much as all else."""
        answer, self._answer = self._answer, []
        if answer:
            self._client.write(b"".join(answer))

    def answer_ended(self, trailers: tuple[bytes, ...]) -> None:
        """The answer is whole."""
        if self._in_chunks:
            self._answer.append(forwarding.last_chunk(trailers))
        self.flush()
        if self._connection is not None:
            self._connection.resume()
        self._release()
        self._end()

    def target_lost(self, *, readable: bool) -> None:
        """The instance closed the connection, or what it sent cannot be read."""
        self._connection = None
        self._fail(self._answers.unanswered(idle=False, readable=readable))

    def idle(self) -> None:
        """Nothing has come from either side for the idle timeout."""
        self._fail(
            self._answers.unanswered(idle=True, readable=True) if self._body.done else self._answers.REQUEST_TIMEOUT
        )

    def client_lost(self) -> None:
        """The client is gone."""
        self.ended = True
        self._leave_target()
        self._client.record(self.record, self)

    def pause_request(self) -> None:
        """The instance takes no more for now."""
        if not self.ended:
            self._client.pause()

    def resume_request(self) -> None:
        """The instance takes more again."""
        if not self.ended:
            self._client.resume()

    def pause_answer(self) -> None:
        """The client takes no more for now."""
        if self._connection is not None:
            self._connection.pause()

    def resume_answer(self) -> None:
        """The client takes more again."""
        if self._connection is not None:
            self._connection.resume()

    def ask_again(self) -> None:
        """See Waiting: every target may be tried again."""
        self._tried.clear()
        self._route()

    def _route(self) -> None:
        node = self._node
        sticky = self._bound_to(self._stickiness) if self._stickiness else None
        choice = route(
            node.targets, node.outstanding, node.turn, tried=self._tried, waiting=len(node.waiting), sticky=sticky
        )
        if isinstance(choice, Send):
            self._send_to(choice.target)
        elif isinstance(choice, Queue):
            self._client.pause()
            node.wait(self)
        else:
            if node.targets:
                node.metrics.count(node.zone, "SpilloverCount")
            self.refuse(choice)

    def _send_to(self, target: str) -> None:
        self._target = target
        self._node.take(target)
        port, tls = self._port_of(target)
        kept = self._node.kept(target, port, tls=tls)
        if kept is not None:
            self._connected(kept)
        else:
            self._client.pause()
            self._connecting = asyncio.get_running_loop().create_task(self._connect(target))

    def _port_of(self, _target: str) -> tuple[int, bool]:
        """Where a target takes its requests, and whether by TLS."""
        listener = self._client.listener
        return listener.instance_port, listener.tls_to_instance

    async def _connect(self, target: str) -> None:
        port, tls = self._port_of(target)
        connection = TargetConnection(self._node, target, port, tls=tls, idle=self._client.idle_seconds)
        try:
            await self._node.connect(target, port, lambda: connection, tls=tls)
        except OSError as error:
            self._release()
            self._unconnected(target, error)
        else:
            self._connected(connection)
            if connection.closed:  # before it could carry anything
                self.target_lost(readable=True)

    def _unconnected(self, target: str, _error: OSError) -> None:
        """A target cannot be connected to."""
        self._tried.add(target)
        self._route()

    def _connected(self, connection: TargetConnection) -> None:
        self._connecting = None
        self._connection = connection
        # It may have been paused for another instance, which refused, or in the surge queue.
        self._client.resume()
        self._sent_at = time.time()
        self.record.sent_to(connection.address, self._sent_at)
        connection.carry(self)
        pending, self._pending = self._pending, []
        for each in pending:
            connection.write(each)

    def _write(self, data: bytes) -> None:
        if self._connection is not None:
            self._connection.write(data)
        else:
            self._pending.append(data)

    def _request_is_malformed(self) -> None:
        if self.ended:
            self._client.close()
        else:
            self._fail(self._answers.BAD_REQUEST)

    def _fail(self, answer: OwnAnswer) -> None:
        """The client gets the balancer's own answer, or a torn one if it has the beginning of another."""
        if self.has_answer:
            self._leave_target()
            self._keeps = False
            self._client.abort()
        else:
            self.refuse(answer)

    def _leave_target(self) -> None:
        """Whatever is under way to the instance or from it ends."""
        self._node.waiting.pop(self, None)
        self._pending = []
        if self._connecting is not None:
            self._connecting.cancel()
            self._connecting = None
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.give_up()
        self._release()

    def _release(self) -> None:
        target, self._target = self._target, ""
        if target:
            self._node.release(target)

    def _keeps_after_early_answer(self) -> bool:
        """A client that expected 100 may leave its body out after any other answer: nobody knows what comes next."""
        return self._keeps and not (self._expects and not self._body.done)

    def _end(self) -> None:
        self.ended = True
        self._connection = None
        self.record.ended = time.time()
        self._client.record(self.record, self)
        self._client.exchange_ended(self, keeps=self._keeps_after_early_answer())

    def _bound_to(self, policy: Stickiness) -> str | None:
        return stickiness.bound_to(policy, forwarding.cookies(self._request.fields), self._node.targets)

    def _cookies(self, head: Response, policy: Stickiness) -> tuple[str, ...]:
        return stickiness.to_set(policy, self._bound_to(policy), self._target, forwarding.cookies_set(head))
