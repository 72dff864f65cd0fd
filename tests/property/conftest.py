"""How the property tests search."""

from __future__ import annotations

from hypothesis import settings

# No deadline: how long one example takes on a busy machine says nothing of the law that it tests.
settings.register_profile("property", deadline=None, derandomize=False, print_blob=True)
settings.load_profile("property")
