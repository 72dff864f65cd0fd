"""Everything that the API answers when it does not answer 200: problem details as in RFC 9457.

A problem's `type` is stable; clients may decide by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 1


@dataclass(frozen=True)
class Kind:
    """One kind of problem: `type` is `urn:email-api:problem:<slug>`."""

    slug: str
    status: HTTPStatus
    title: str
    retry: bool = False

    @property
    def type(self) -> str:
        return f"urn:email-api:problem:{self.slug}"


MALFORMED = Kind("malformed-request", HTTPStatus.BAD_REQUEST, "The request breaks the rules of HTTP.")
NOT_JSON = Kind("not-json", HTTPStatus.BAD_REQUEST, "The body is not a JSON object.")
INVALID_EMAIL = Kind("invalid-email", HTTPStatus.BAD_REQUEST, "The e-mail breaks the rules named in `errors`.")
INVALID_IDEMPOTENCY_KEY = Kind(
    "invalid-idempotency-key", HTTPStatus.BAD_REQUEST, "The Idempotency-Key is not one of 1 to 255 ASCII characters."
)
WRONG_TOKEN = Kind("wrong-token", HTTPStatus.UNAUTHORIZED, "The token is missing or wrong.")
NOT_FOUND = Kind("not-found", HTTPStatus.NOT_FOUND, "There is nothing at this path.")
METHOD_NOT_ALLOWED = Kind("method-not-allowed", HTTPStatus.METHOD_NOT_ALLOWED, "This path does not take this method.")
TOO_LATE = Kind("request-timeout", HTTPStatus.REQUEST_TIMEOUT, "The body did not arrive in time.")
TOO_LARGE = Kind("too-large", HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The e-mail is larger than the queue takes.")
INTERNAL = Kind("internal", HTTPStatus.INTERNAL_SERVER_ERROR, "The API failed; its log says why.")
UNAVAILABLE = Kind(
    "unavailable",
    HTTPStatus.SERVICE_UNAVAILABLE,
    "A service that this needs cannot be used now. The e-mail has not been accepted: send it again.",
    retry=True,
)
UNKNOWN = Kind(
    "acceptance-unknown",
    HTTPStatus.GATEWAY_TIMEOUT,
    "The queue's answer was lost: the e-mail may have been accepted. Send it again under the same Idempotency-Key.",
    retry=True,
)

KINDS = (
    MALFORMED,
    NOT_JSON,
    INVALID_EMAIL,
    INVALID_IDEMPOTENCY_KEY,
    WRONG_TOKEN,
    NOT_FOUND,
    METHOD_NOT_ALLOWED,
    TOO_LATE,
    TOO_LARGE,
    INTERNAL,
    UNAVAILABLE,
    UNKNOWN,
)


@dataclass(frozen=True)
class FieldError:
    """A field that breaks its rule. Never with its value, which may be confidential."""

    field: str
    rule: str


@dataclass(frozen=True)
class Problem:
    """The answer to one request, when it is not 200."""

    kind: Kind
    detail: str
    errors: tuple[FieldError, ...] = ()

    def document(self, request_id: str) -> dict[str, object]:
        """The problem details object."""
        document: dict[str, object] = {
            "type": self.kind.type,
            "title": self.kind.title,
            "status": self.kind.status.value,
            "detail": self.detail,
            "request_id": request_id,
        }
        if self.errors:
            document["errors"] = [{"field": error.field, "rule": error.rule} for error in self.errors]
        return document

    def headers(self) -> dict[str, str]:
        """The headers that go with it."""
        return {"Retry-After": str(RETRY_AFTER_SECONDS)} if self.kind.retry else {}


MALFORMED_REQUEST = Problem(MALFORMED, "Its head could not be understood, or its body did not come whole.")


class Rejection(Exception):
    """Raised anywhere while a request is handled; its problem becomes the answer."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem
