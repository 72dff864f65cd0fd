"""Batches of SQS, whose entries fail each for itself within an answer of HTTP 200. Pure; bodies are those of HTTP.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_BatchResultErrorEntry.html
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from sim.aws.model import AwsError

OPERATIONS = frozenset({"SendMessageBatch", "DeleteMessageBatch", "ChangeMessageVisibilityBatch"})

ENTRY_ERROR = AwsError("InternalError", "SQS failed at this entry; it may succeed later.", 500)
"""The error of an entry that fails though nothing is wrong with it."""

_SERVER_ERROR = 500


def failed_entry(entry_id: str, error: AwsError) -> dict[str, Any]:
    """What an answer says of an entry that failed."""
    sender = error.status < _SERVER_ERROR
    return {"Id": entry_id, "SenderFault": sender, "Code": error.code, "Message": error.message}


def entry_ids(body: bytes) -> list[str]:
    """The ids of a batch's entries; an empty list if the body is no batch."""
    try:
        entries = json.loads(body)["Entries"]
    except (ValueError, KeyError, TypeError):
        return []
    return [str(each["Id"]) for each in entries if "Id" in each] if _are_objects(entries) else []


def without_entries(body: bytes, ids: Collection[str]) -> bytes:
    """The body of a batch without the entries of these ids."""
    document = json.loads(body)
    document["Entries"] = [entry for entry in document["Entries"] if entry.get("Id") not in ids]
    return json.dumps(document).encode()


def with_failed(answer: bytes, ids: Collection[str]) -> bytes:
    """The answer to a batch, with further entries that failed."""
    document = json.loads(answer)
    failed = [failed_entry(each, ENTRY_ERROR) for each in sorted(ids)]
    return json.dumps({**document, "Failed": [*document.get("Failed", []), *failed]}).encode()


def _are_objects(entries: object) -> bool:
    return isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries)
