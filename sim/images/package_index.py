"""How a container reaches Python packages as this machine does: pip's configuration and the CA bundle.

Both are read when an image is built, and are found in that image and in what is built on it.
"""

from __future__ import annotations

import ast
import ssl
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from sim.errors import SimError
from sim.host.command import run

CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
"""Where Debian keeps it, and where the image does."""

_SECTIONS = ("global", "install", ":env:")
"""Of pip's configuration; the later wins. https://pip.pypa.io/en/stable/topics/configuration/"""

_URLS = ("index-url", "extra-index-url")
_CARRIED = ("trusted-host", "timeout", "default-timeout")


def pip_settings() -> dict[str, str]:
    """What pip is configured to on this machine, by option name. Raises CommandFailed."""
    listing = run([sys.executable, "-m", "pip", "config", "list"], remedy="Install pip for this Python.")
    return parse(listing)


def parse(listing: str) -> dict[str, str]:
    """The settings in the output of `pip config list`: lines such as `global.index-url='https://...'`."""
    settings = [line.partition("=") for line in listing.splitlines()]
    return {
        name.removeprefix(f"{section}."): str(ast.literal_eval(value))
        for section in _SECTIONS
        for name, _, value in settings
        if name.startswith(f"{section}.")
    }


def ca_bundle(settings: Mapping[str, str]) -> Path:
    """The certificates that this machine trusts, in one file."""
    return Path(settings.get("cert") or ssl.get_default_verify_paths().cafile or CA_BUNDLE)


def pip_conf(settings: Mapping[str, str]) -> str:
    """The pip.conf of an image. Leaves out what only this machine's file system has.

    Raises SimError for an index that wants credentials, which the image would keep.
    """
    carried = [(name, settings[name]) for name in _CARRIED if name in settings]
    indexes = [(name, " ".join(_remote(name, settings.get(name, "")))) for name in _URLS]
    entries = [("cert", CA_BUNDLE), *((name, urls) for name, urls in indexes if urls), *carried]
    return "[global]\n" + "".join(f"{name} = {value}\n" for name, value in entries)


def _remote(name: str, urls: str) -> Iterator[str]:
    for url in urls.split():
        parts = urlsplit(url)
        if parts.username or parts.password:
            raise SimError(
                f"pip's {name} for {parts.hostname} carries credentials, which every image built from here would keep: "
                "configure an index that needs none"
            )
        if parts.scheme in {"http", "https"}:
            yield url
