"""Everything that the API answers when it does not answer 200: problem details as in RFC 9457.

A problem's `type` is stable; clients may decide by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from pydantic import BaseModel, ConfigDict

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


class FieldError(BaseModel):
    """A field that breaks its rule. Never with its value, which may be confidential."""

    field: str
    rule: str


class ProblemDocument(BaseModel):
    """Problem details as in RFC 9457."""

    model_config = ConfigDict(title="Problem")

    type: str
    title: str
    status: int
    detail: str
    request_id: str
    errors: tuple[FieldError, ...] = ()


@dataclass(frozen=True)
class Problem:
    """The answer to one request, when it is not 200."""

    kind: Kind
    detail: str
    errors: tuple[FieldError, ...] = ()

    def document(self, request_id: str) -> ProblemDocument:
        """The problem details object."""
        return ProblemDocument(
            type=self.kind.type,
            title=self.kind.title,
            status=self.kind.status,
            detail=self.detail,
            request_id=request_id,
            errors=self.errors,
        )

    def headers(self) -> dict[str, str]:
        """The headers that go with it."""
        return {"Retry-After": str(RETRY_AFTER_SECONDS)} if self.kind.retry else {}


MALFORMED_REQUEST = Problem(MALFORMED, "Its head could not be understood, or its body did not come whole.")


class Rejection(Exception):
    """Raised anywhere while a request is handled; its problem becomes the answer."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem
