"""`python -m services.api`: the API as its container runs it."""

from services.api.server import serve
from services.api.settings import Settings

if __name__ == "__main__":
    serve(Settings.from_environment())
