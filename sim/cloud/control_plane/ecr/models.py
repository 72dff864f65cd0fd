"""What a manifest says of itself.

https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutImage.html
"""

from __future__ import annotations

import hashlib
import json

from sim.cloud.control_plane.call import AwsError


def manifest_digest(manifest: str, claimed: str | None) -> str:
    """The digest of a manifest. Raises AwsError: InvalidParameterException, ImageDigestDoesNotMatchException."""
    try:
        parsed = json.loads(manifest)
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        raise AwsError("InvalidParameterException", "The image manifest is invalid: it must be a JSON object.")
    digest = f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}"
    if claimed and claimed != digest:
        raise AwsError(
            "ImageDigestDoesNotMatchException", f"The manifest's digest is {digest}, but the call names {claimed}."
        )
    return digest
