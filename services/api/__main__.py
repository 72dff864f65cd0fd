"""`python -m services.api`: the API as its container runs it."""

from services.pipeline import signals

if __name__ == "__main__":
    signals.end_at_once()
    from services.api.server import serve
    from services.api.settings import Settings

    serve(Settings.from_environment())
