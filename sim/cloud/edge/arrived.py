"""A request as the rules of an ALB's listener look at it. Pure."""

from __future__ import annotations

from sim.cloud.edge.forwarding import Client
from sim.cloud.edge.messages import Request
from sim.cluster.balancer.listener_rules import Arrived


def arrived(request: Request, client: Client) -> Arrived:
    """What the rules look at. A target in absolute form counts for more than the header Host.

    https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2
    """
    target = request.head.target.decode("latin-1")
    hosts = request.fields.values(b"host")
    host = hosts[0].decode("latin-1") if hosts else ""
    scheme, found, rest = target.partition("://")
    if found and scheme.lower() in {"http", "https"}:
        host, slash, target = rest.partition("/")
        target = f"{slash or '/'}{target}"
    path, _, query = target.partition("?")
    headers: dict[str, str] = {}
    for name, value in request.fields.lines:
        key, text = name.lower().decode("latin-1"), value.strip().decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return Arrived(
        "HTTPS" if client.protocol == b"https" else "HTTP",
        _without_port(host),
        int(client.port),
        path,
        tuple(_pair(each) for each in query.split("&") if each),
        request.head.method.decode("latin-1"),
        headers,
        client.address.decode("ascii"),
    )


def _without_port(host: str) -> str:
    name, _, port = host.rpartition(":")
    return name if name and port.isdigit() else host


def _pair(text: str) -> tuple[str, str]:
    """A key and a value; a value alone has no key."""
    key, sign, value = text.partition("=")
    return (key, value) if sign else ("", key)
