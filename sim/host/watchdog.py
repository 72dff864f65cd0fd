"""Ends what a run started when the run itself is gone, however it ended: by SIGKILL, by a crash, by a lost terminal.

Executed as a script of its own with next to no imports. It reads lines from its standard input, which is a
pipe that only its parent writes to, and so ends with the parent:

    + group <pgid>     a process group that must not outlive the parent
    - group <pgid>     it has ended already
    + path <path>      a folder that must not outlive the parent
    - path <path>
    + label <label>    containers and networks of this label, that must not either
    - label <label>
"""

import os
import shutil
import signal
import subprocess
import sys


def watch() -> None:
    """Until the end of the input; then ends the groups and removes the folders that are left."""
    kept: dict[str, dict[str, None]] = {"group": {}, "path": {}, "label": {}}
    for line in sys.stdin:
        sign, kind, value = line.rstrip("\n").split(" ", 2)
        if sign == "+":
            kept[kind][value] = None
        else:
            kept[kind].pop(value, None)
    for group in kept["group"]:
        try:
            os.killpg(int(group), signal.SIGKILL)
        except ProcessLookupError:
            continue
    for path in kept["path"]:
        shutil.rmtree(path, ignore_errors=True)
    for label in kept["label"]:
        remove_labelled(label)


def remove_labelled(label: str) -> None:
    """Removes the containers, then the networks, that bear a label."""
    for listed, removed in (
        (["docker", "ps", "--all", "--quiet"], ["docker", "rm", "--force", "--volumes"]),
        (["docker", "network", "ls", "--quiet"], ["docker", "network", "rm"]),
    ):
        found = subprocess.run(  # noqa: S603 - docker, with a label of ours
            [*listed, "--filter", f"label={label}"], capture_output=True, text=True, check=False
        ).stdout.split()
        if found:
            subprocess.run([*removed, *found], capture_output=True, check=False)  # noqa: S603


if __name__ == "__main__":
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    watch()
