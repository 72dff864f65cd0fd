"""Where LocalStack and the providers meet: what the entry points name, and the only untyped code.

Each function below is called once, when its service is called first.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from typing import Any

from localstack.aws.api import CommonServiceException, RequestContext
from localstack.aws.forwarder import create_aws_request_context
from localstack.aws.spec import load_service
from localstack.services.moto import call_moto
from localstack.services.plugins import Service, aws_provider

from sim.cloud.control_plane.application_autoscaling.provider import ApplicationAutoScaling
from sim.cloud.control_plane.call import AwsError, Call, Operations, Values
from sim.cloud.control_plane.ecs.provider import Ecs
from sim.cloud.control_plane.sqs.provider import OPERATIONS as SQS_OPERATIONS

_Handler = Callable[[Any, Values], Values]
_provides: Callable[..., Callable[[Callable[[], Service]], object]] = aws_provider

_ecs = Ecs()


@_provides(api="application-autoscaling")
def application_autoscaling() -> Service:
    from moto.applicationautoscaling.models import (  # noqa: PLC0415 - not before it is called
        ApplicationAutoscalingBackend,
    )

    # It would look for ECS services in moto, where they are not.
    ApplicationAutoscalingBackend._ecs_service_exists_for_target = lambda *_: True  # noqa: SLF001
    return _over_moto("application-autoscaling", ApplicationAutoScaling(_ecs.has_service).operations)


@_provides(api="autoscaling")
def autoscaling() -> Service:
    return _over_moto("autoscaling", {})


@_provides(api="ecr")
def ecr() -> Service:
    return _over_moto("ecr", {})


@_provides(api="ecs")
def ecs() -> Service:
    return _over_moto("ecs", _ecs.operations)


@_provides(api="elb")
def elb() -> Service:
    return _over_moto("elb", {})


@_provides(api="sqs", name="control-plane")
def sqs() -> Service:
    from localstack.services.sqs.provider import SqsProvider  # noqa: PLC0415 - not before it is called

    return _over_localstack(Service.for_provider(SqsProvider()), SQS_OPERATIONS)


class _Moto:
    """A service that LocalStack does not have, for `Service.for_provider`."""

    version = None

    def __init__(self, service: str) -> None:
        self.service = service


def _over_moto(service: str, operations: Operations) -> Service:
    handlers: dict[str, _Handler] = dict.fromkeys(load_service(service).operation_names, _moto)
    handlers |= _handlers(operations, handlers)
    return Service.for_provider(_Moto(service), dispatch_table_factory=lambda _: handlers)


def _over_localstack(service: Service, operations: Operations) -> Service:
    table: dict[str, _Handler] = service.skeleton.dispatch_table
    table |= _handlers(operations, table)
    return service


def _handlers(operations: Operations, underneath: dict[str, _Handler]) -> dict[str, _Handler]:
    """One call of a service at a time, so that what it keeps needs no locks of its own."""
    lock = threading.Lock()
    return {name: _handler(answer, underneath[name], lock) for name, answer in operations.items()}


def _handler(answer: Callable[[Call], Values], underneath: _Handler, lock: threading.Lock) -> _Handler:
    def handle(context: RequestContext, request: Values) -> Values:
        def forward(operation: str | None = None, parameters: Values | None = None) -> Values:
            if operation is None and parameters is None:
                return underneath(context, request)
            made = _remade(context, operation or context.operation.name, request if parameters is None else parameters)
            return underneath(made, made.service_request)

        try:
            with lock:
                return answer(Call(context.account_id, context.region, request, forward))
        except AwsError as error:
            raise CommonServiceException(error.code, error.message, status_code=error.status) from None

    return handle


def _moto(context: RequestContext, _: Values) -> Values:
    answer: Values = call_moto(context)
    return answer


def _remade(context: RequestContext, operation: str, parameters: Values) -> RequestContext:
    """The same caller's call of another operation, or with other parameters."""
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
    made.service_request = parameters
    return made
