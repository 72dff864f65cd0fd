"""Passes the package index of pip's configuration on to uv.

A company's package index is often only in pip.conf, which uv does not read. Variables of uv that are set take
precedence. As a program (`python sim/host/package_index.py`) it prints the variables for a shell to `eval`. It imports
only the standard library, since it runs before anything is installed. https://docs.astral.sh/uv/reference/environment/
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
"""uv's older names for these variables, which it still reads."""


def uv_variables(pip_config: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables for uv that the environment lacks.

    `pip_config` is the output of `pip config list`: lines such as `global.index-url='https://...'`, each value as a
    Python literal.
    """
    found: dict[str, str] = {}
    for line in pip_config.splitlines():
        name, _, value = line.partition("=")
        variable = _VARIABLES.get(name.rpartition(".")[2])
        if variable and environ.keys().isdisjoint({variable, _OLDER.get(variable, variable)}):
            words = str(literal_eval(value)).split()
            found[variable] = (" " if variable == "UV_INDEX" else ",").join(words)
    if "UV_INDEX" in found:
        # As in pip, every index is searched for every package. The hashes in the locks exclude foreign packages.
        found.setdefault("UV_INDEX_STRATEGY", environ.get("UV_INDEX_STRATEGY", "unsafe-best-match"))
    return found


def from_pip(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables for uv, from the configuration of this Python's pip; none if there is no pip."""
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
