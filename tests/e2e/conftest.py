"""What the end-to-end tests share."""

from __future__ import annotations

import pytest

from services.pipeline.message import Email


@pytest.fixture
def emails(email: Email) -> list[Email]:
    """Six hundred different e-mails: they take the worker a second at least."""
    return [email.model_copy(update={"email_subject": f"number {number}"}) for number in range(600)]
