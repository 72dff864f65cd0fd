"""Where Python packages come from: uv is given what only pip's configuration names.

A company's package index is often in pip.conf alone, which uv does not read. uv's own variables win where they are set.
As a program (`python sim/host/package_index.py`) it prints the variables for a shell to `eval`, and imports nothing
that would have to be installed first. https://docs.astral.sh/uv/reference/environment/
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from ast import literal_eval
from collections.abc import Mapping
from typing import Final

_VARIABLES: Final = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "cert": "SSL_CERT_FILE",
    "trusted-host": "UV_INSECURE_HOST",
}
_OLDER: Final = {"UV_DEFAULT_INDEX": "UV_INDEX_URL", "UV_INDEX": "UV_EXTRA_INDEX_URL"}
"""The names that uv gave these variables before; it reads them still."""


def uv_variables(pip_config: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables for uv that the environment does not have.

    `pip_config` is what `pip config list` prints: lines such as `global.index-url='https://...'`, with each value as
    Python writes it.
    """
    found: dict[str, str] = {}
    for line in pip_config.splitlines():
        name, _, value = line.partition("=")
        variable = _VARIABLES.get(name.rpartition(".")[2])
        if variable and environ.keys().isdisjoint({variable, _OLDER.get(variable, variable)}):
            words = str(literal_eval(value)).split()
            found[variable] = (" " if variable == "UV_INDEX" else ",").join(words)
    if "UV_INDEX" in found:
        # As pip does it: all indexes are asked for all packages. The locks' hashes keep a stranger's package out.
        found.setdefault("UV_INDEX_STRATEGY", environ.get("UV_INDEX_STRATEGY", "unsafe-best-match"))
    return found


def from_pip(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables for uv, asked of this Python's pip; none if it has no pip."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "config", "list"],
        capture_output=True,
        text=True,
        check=False,
    )
    return uv_variables(done.stdout, environ) if done.returncode == 0 else {}


if __name__ == "__main__":
    for each, setting in from_pip(os.environ).items():
        print(f"export {each}={shlex.quote(setting)}")
