"""Tokens as GitHub hands them to a workflow, but for the signature."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

ISSUER = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"


def token(subject: str) -> str:
    """One that holds for a long time."""
    return encoded({"iss": f"https://{ISSUER}", "sub": subject, "aud": AUDIENCE, "exp": 4_000_000_000})


def encoded(claims: Mapping[str, Any]) -> str:
    """A token with these claims."""
    parts: tuple[Mapping[str, Any], ...] = ({"alg": "RS256"}, claims, {})
    return ".".join(base64.urlsafe_b64encode(json.dumps(each).encode()).decode().rstrip("=") for each in parts)
