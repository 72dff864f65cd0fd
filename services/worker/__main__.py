"""`python -m services.worker`: the worker as its container runs it."""

import sys

from services.pipeline import signals

if __name__ == "__main__":
    signals.end_at_once()
    from services.worker.service import serve
    from services.worker.settings import Settings

    sys.exit(serve(Settings.from_environment()))
