"""Services for LocalStack: some operations answered by the control plane, the others by moto or by LocalStack."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from localstack.aws.api import CommonServiceException, RequestContext
from localstack.aws.forwarder import create_aws_request_context
from localstack.aws.spec import load_service
from localstack.services.moto import call_moto
from localstack.services.plugins import Service
from localstack.utils.aws.request_context import extract_access_key_id_from_auth_header

from sim.cloud.control_plane.call import AwsError, Call, Operations, Values

_Handler = Callable[[Any, Values], Values]
Guard = Callable[[bool], AbstractContextManager[object]]
"""What a call holds; it is told whether the call changes anything."""


class _Moto:
    """A service that community LocalStack lacks, in the shape that `Service.for_provider` takes."""

    version = None

    def __init__(self, service: str) -> None:
        self.service = service


def over_moto(service: str, operations: Operations, guard: Guard | None = None) -> Service:
    """A service that moto answers, but for some operations. With a guard, every call of it holds that."""
    handlers: dict[str, _Handler] = dict.fromkeys(load_service(service).operation_names, to_moto)
    guarded: Operations = {name: lambda call: call.forward() for name in handlers} if guard else {}
    handlers |= _handlers({**guarded, **operations}, handlers, guard or _one_at_a_time())
    return Service.for_provider(_Moto(service), dispatch_table_factory=lambda _: handlers)


def over_localstack(service: Service, operations: Operations, guard: Guard | None = None) -> Service:
    """A service of LocalStack's own, but for some operations, whose calls hold the guard."""
    table: dict[str, _Handler] = service.skeleton.dispatch_table
    table |= _handlers(operations, table, guard or _one_at_a_time())
    return service


def _one_at_a_time() -> Guard:
    lock = threading.Lock()
    return lambda _: lock


def _handlers(operations: Operations, underneath: Mapping[str, _Handler], guard: Guard) -> dict[str, _Handler]:
    """Handlers that hold the guard, which lets one call in at a time. So the state of a service needs no locks."""
    underneath = dict(underneath)

    def handler(name: str, answer: Callable[[Call], Values]) -> _Handler:
        changes = not name.startswith(("Describe", "List"))

        def handle(context: RequestContext, request: Values) -> Values:
            def forward(operation: str | None = None, parameters: Values | None = None) -> Values:
                if operation is None:
                    return underneath[context.operation.name](context, request) or {}
                made = _remade(context, operation, parameters or {})
                return underneath[operation](made, made.service_request) or {}

            try:
                with guard(changes):
                    return answer(Call(context.account_id, context.region, request, forward, access_key(context)))
            except AwsError as error:
                raise CommonServiceException(error.code, error.message, status_code=error.status) from None

        return handle

    return {name: handler(name, answer) for name, answer in operations.items()}


def access_key(context: RequestContext) -> str:
    """The key that signed a call, in its header or in a presigned URL; "" without one."""
    presigned = context.request.args.get("X-Amz-Credential", "").partition("/")[0]
    return extract_access_key_id_from_auth_header(context.request.headers) or str(presigned)


def to_moto(context: RequestContext, _: Values) -> Values:
    """A handler that has moto answer."""
    answer: Values = call_moto(context)
    return answer


def _remade(context: RequestContext, operation: str, parameters: Values) -> RequestContext:
    """The context of another operation, called by the same caller."""
    made = create_aws_request_context(
        service_name=context.service.service_name,
        action=operation,
        parameters=parameters,
        region=context.region,
        protocol=context.protocol,
    )
    headers = copy.deepcopy(context.request.headers)
    headers.update(made.request.headers)
    made.request.headers = headers
    made.account_id = context.account_id
    made.service_request = parameters
    return made
