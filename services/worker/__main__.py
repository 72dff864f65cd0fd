"""`python -m services.worker`: the worker as its container runs it."""

import sys

from services.worker.service import serve
from services.worker.settings import Settings

if __name__ == "__main__":
    sys.exit(serve(Settings.from_environment()))
