"""Docker's client: logged in to a registry for as long as a block lasts, and what its failures say.

`docker login` writes the login into the configuration of the person who calls it, and it stays there. So the client has
a configuration of its own here. It holds that login and nothing else but the context, which says which engine is meant.
https://docs.docker.com/reference/cli/docker/#configuration-files
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from python_on_whales import DockerClient
from python_on_whales.exceptions import DockerException

_FILE = "config.json"
_LAST_LINES = 30


@contextmanager
def logged_in(server: str, token: str) -> Iterator[DockerClient]:
    """A client whose login for `server`, the host and port of a registry, is `token`, as ECR gives it.

    https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html
    """
    own = Path(os.environ.get("DOCKER_CONFIG") or Path(os.environ.get("HOME", "/")) / ".docker")
    with tempfile.TemporaryDirectory(prefix="docker-login-") as folder:
        configuration = {"auths": {server: {"auth": token}}, **_context(own)}
        file = Path(folder) / _FILE
        file.touch(mode=0o600)
        file.write_text(json.dumps(configuration))
        if (own / "contexts").is_dir():
            (Path(folder) / "contexts").symlink_to((own / "contexts").absolute())
        yield DockerClient(config=folder)


def _context(own: Path) -> dict[str, str]:
    """The context that a configuration chooses, in the form of a configuration; empty if it chooses none."""
    try:
        configured = json.loads((own / _FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return {name: configured[name] for name in ("currentContext",) if name in configured}


def account_of(error: DockerException, remedy: str) -> str:
    """What failed, with which last words, and the remedy."""
    words = error.docker_command[1:]
    # The configuration of `logged_in` is gone by the time that somebody reads this.
    command = words[2:4] if words[0] == "--config" else words[:2]
    lines = (error.stderr or "").strip().splitlines()[-_LAST_LINES:]
    return "\n".join([f"`docker {' '.join(command)}` failed:", *lines, remedy])
