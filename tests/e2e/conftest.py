"""What the end-to-end tests share."""

from __future__ import annotations

import pytest

from services.pipeline.message import Email


@pytest.fixture
def emails(email: Email) -> list[Email]:
    """Two hundred different e-mails."""
    return [email.model_copy(update={"email_subject": f"number {number}"}) for number in range(200)]
