"""Ends what a run started when the run itself is gone, however it ended: by SIGKILL, by a crash, by a lost terminal.

Executed as a script of its own. It reads lines from its standard input, which is a
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
        # Not before it is needed: to import it takes longer than all else here.
        from sim.host.engine import remove_labelled  # noqa: PLC0415

        remove_labelled(label)


if __name__ == "__main__":
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    watch()
