"""Removes what a run created after the run has ended in any way: by SIGKILL, by a crash, by a lost terminal.

This module runs as a script. Its standard input is a pipe from its parent, so the input ends when the parent ends. It
reads these lines:

    + group <pgid>     a process group that must not outlive the parent
    - group <pgid>     the group has ended
    + groups <path>    a folder with a file for each process group that must not outlive the parent, by its id
    - groups <path>
    + path <path>      a folder that must not outlive the parent
    - path <path>
    + label <label>    containers and networks with this label that must not outlive the parent
    - label <label>
    + images <registry>  the engine's images from this registry, by its address
    - images <registry>
"""

import os
import shutil
import signal
import sys
from pathlib import Path


def watch() -> None:
    """Reads the input to its end, then ends and removes what remains."""
    kept: dict[str, dict[str, None]] = {"group": {}, "groups": {}, "path": {}, "label": {}, "images": {}}
    for line in sys.stdin:
        sign, kind, value = line.rstrip("\n").split(" ", 2)
        if sign == "+":
            kept[kind][value] = None
        else:
            kept[kind].pop(value, None)
    noted = [each.name for folder in kept["groups"] for each in Path(folder).glob("*")]
    for group in [*kept["group"], *noted]:
        try:
            os.killpg(int(group), signal.SIGKILL)
        except ProcessLookupError:
            continue
    for path in kept["path"]:
        shutil.rmtree(path, ignore_errors=True)
    for label in kept["label"]:
        # Imported only when needed, since the import takes longer than everything else here.
        from sim.host.engine import remove_labelled  # noqa: PLC0415

        remove_labelled(label)
    for registry in kept["images"]:
        from sim.host.engine import remove_images  # noqa: PLC0415 - as above

        remove_images(registry)


if __name__ == "__main__":
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    watch()
