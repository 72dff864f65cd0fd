"""Connects the providers to LocalStack. The entry points name the functions here. It is untyped in part.

LocalStack calls each decorated function once, at the first call to its service.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from http import HTTPStatus
from random import Random
from typing import Any

from localstack.aws import handlers as localstack_handlers
from localstack.aws.api import CommonServiceException, RequestContext
from localstack.aws.connect import connect_to
from localstack.constants import AWS_REGION_US_EAST_1, DEFAULT_AWS_ACCOUNT_ID
from localstack.http import Request, Response
from localstack.runtime import hooks
from localstack.services.edge import ROUTER
from localstack.services.moto import MotoFallbackDispatcher
from localstack.services.plugins import SERVICE_PLUGINS, Service, aws_provider
from localstack.services.s3.models import S3DeleteMarker, s3_stores

from sim.aws.api_call import ApiCall, ApiProtocol
from sim.aws.ecr_authorization import RegistryAccess
from sim.aws.iam.needs import Destination
from sim.aws.log_filters import InvalidPattern, matcher
from sim.aws.routes import NO_ROUTE
from sim.cloud.control_plane.application_autoscaling.provider import ApplicationAutoScaling
from sim.cloud.control_plane.application_autoscaling.scaling import ScalesServices
from sim.cloud.control_plane.autoscaling import metrics as group_metrics
from sim.cloud.control_plane.autoscaling.groups import Groups, GroupSteps
from sim.cloud.control_plane.autoscaling.known import KnownGroups
from sim.cloud.control_plane.autoscaling.policy_operations import PolicyOperations
from sim.cloud.control_plane.autoscaling.provider import AutoScaling
from sim.cloud.control_plane.autoscaling.scaling import ScalesGroups
from sim.cloud.control_plane.call import AwsError, Regional, Route, Values, moment
from sim.cloud.control_plane.cloudwatch.composites import CompositeEvaluation, notification
from sim.cloud.control_plane.cloudwatch.evaluation import Evaluation, ScalingAlarm
from sim.cloud.control_plane.cloudwatch.metrics import Metrics, Published
from sim.cloud.control_plane.cloudwatch.provider import operations as cloudwatch_operations
from sim.cloud.control_plane.cloudwatch.queues import depths
from sim.cloud.control_plane.cloudwatch.stored import stored_alarms
from sim.cloud.control_plane.cloudwatch.watch import Watch
from sim.cloud.control_plane.cluster.backends import bake_for
from sim.cloud.control_plane.cluster.driver import Driver
from sim.cloud.control_plane.cluster.hosts import HostRoutes, Hosts, reports
from sim.cloud.control_plane.cluster.providers import ProviderSteps
from sim.cloud.control_plane.cluster.stepping import Steps
from sim.cloud.control_plane.ec2.egress import Egress
from sim.cloud.control_plane.ec2.network import network_of, set_lost, subnet_of
from sim.cloud.control_plane.ec2.provider import OPERATIONS as EC2_OPERATIONS
from sim.cloud.control_plane.ecr.provider import Ecr
from sim.cloud.control_plane.ecs.capacity_provider_operations import CapacityProviderOperations
from sim.cloud.control_plane.ecs.provider import Ecs
from sim.cloud.control_plane.ecs.state import Surroundings
from sim.cloud.control_plane.elb.provider import Elb
from sim.cloud.control_plane.elbv2.provider import Elbv2
from sim.cloud.control_plane.iam.permissions import Answer, Permissions, assumable_by_ecs
from sim.cloud.control_plane.logs.provider import Logs
from sim.cloud.control_plane.serving import access_key, over_localstack, over_moto, to_moto
from sim.cloud.control_plane.sqs.provider import OPERATIONS as SQS_OPERATIONS
from sim.cloud.control_plane.ssm.provider import OPERATIONS as SSM_OPERATIONS
from sim.cluster.autoscaling.scaling_group import Report
from sim.cluster.aws_clock import clock_of
from sim.cluster.cadence import LOCAL
from sim.cluster.cloudwatch.alarms import State
from sim.cluster.desired import Place

_OF_INSTANCES = ("StartInstances", "StopInstances", "TerminateInstances")
_provides: Callable[..., Callable[[Callable[[], Service]], object]] = aws_provider


_at_start: Callable[[], Callable[[Callable[[], None]], object]] = hooks.on_infra_start
_at_shutdown: Callable[[], Callable[[Callable[[], None]], object]] = hooks.on_infra_shutdown

_clock = clock_of(os.environ, time.time())


def _now() -> float:
    """AWS's time."""
    return _clock.at(time.time())


_PROTOCOLS = {"query": ApiProtocol.QUERY, "ec2": ApiProtocol.QUERY, "rest-xml": ApiProtocol.REST_XML}
"""LocalStack's names of protocols. All others are JSON."""

_on = threading.Event()
_chance = Random()  # noqa: S311 - for ids and placement, no secrets
_around = Surroundings(_now, _chance, _on.is_set, bake_for, _clock, assumable_by_ecs)
_ecs = Ecs(_around)
_elb = Elb(time.time, _clock)
_elbv2 = Elbv2(time.time, _on.is_set, _clock)
_hosts: Regional[Hosts] = Regional(Hosts)


def _reports(place: Place) -> dict[str, Report]:
    at = (place.account, place.region)
    return reports(place, _hosts.at(*at), _elb.known.at(*at), _elbv2.known.at(*at), _now())


_groups: Groups = Regional(dict)
_group_steps = GroupSteps(_groups, _reports, _now, _chance)
_providers = ProviderSteps(_groups, _ecs.states, _around)
_steps = Steps(_groups, _group_steps, _providers, _ecs.states, _elb.known, _elbv2.known, _hosts, _around, time.time)
_driver = Driver(_steps.take, LOCAL.step_seconds, _on)
_egress = Egress(lambda: _driver.latest, network_of, subnet_of, lambda at, name, lost: set_lost(at, name, lost=lost))
_permissions = Permissions(lambda: _driver.latest, _ecs.defined, time.time)


def _driven(changes: bool) -> AbstractContextManager[object]:
    return _driver.call(changes=changes)


def _client(service: str, place: Place) -> Any:
    """A client of boto3 for a service of this LocalStack."""
    return getattr(connect_to(region_name=place.region, aws_access_key_id=place.account), service)


def _set_alarm(place: Place, name: str, state: State, reason: str, data: str = "") -> None:
    more = {"StateReasonData": data} if data else {}
    _client("cloudwatch", place).set_alarm_state(AlarmName=name, StateValue=state, StateReason=reason, **more)


def _metrics_file() -> str:
    from localstack.services.cloudwatch.cloudwatch_database_helper import CloudwatchDatabase  # noqa: PLC0415

    return str(CloudwatchDatabase.METRICS_DB)


def _publish(points: Iterable[Published]) -> None:
    """Publishes values of metrics, also where nobody has used CloudWatch yet, which has the database."""
    if published := list(points):
        SERVICE_PLUGINS.require("cloudwatch")
        _metrics.write(published)


_metrics = Metrics(_metrics_file)
_scaling = ScalesServices(partial(_client, "ecs"), _now)
_group_scaling = ScalesGroups(_groups, _driven, _now)


def _scale(calls: list[ScalingAlarm]) -> None:
    _scaling.act(calls)
    _group_scaling.act(calls)


_metric_alarms = Evaluation(stored_alarms, _metrics, _set_alarm, _scale, _now)
_composite_alarms = CompositeEvaluation(stored_alarms, _set_alarm, _now)
_watch = Watch(
    lambda at: _metrics.write(
        [*depths(at, time.time(), _clock), *_providers.published(at), *group_metrics.published(_groups, at)]
    ),
    (_metric_alarms.take, _composite_alarms.take),
    _now,
)


@_at_start()
def open_cluster_routes() -> None:
    """Opens the routes of the cluster, before anybody has used one of its services."""
    _open(
        {
            **_ecs.routes,
            **_elb.routes,
            **_elbv2.routes,
            **HostRoutes(_hosts, _ecs.states, _now).routes,
            **_egress.routes,
        }
    )
    ROUTER.add("/_sim/cluster/desired", _answer_desired, methods=["GET"])
    ROUTER.add("/_sim/cluster/health", _answer_health, methods=["GET"])
    ROUTER.add("/_sim/buckets/<bucket>/objects", _answer_objects, methods=["GET"])
    for path, answer in _permissions.routes.items():
        ROUTER.add(path, partial(_answer, answer), methods=["GET"])
    localstack_handlers.serve_custom_service_request_handlers.handlers.extend([_find_way, _judge])


@_at_shutdown()
def close_cluster_driver() -> None:
    """Ends the questions that wait for a change: LocalStack would wait for them for good."""
    _driver.close()
    _watch.close()


@_provides(api="application-autoscaling")
def application_autoscaling() -> Service:
    from moto.applicationautoscaling.models import (  # noqa: PLC0415 - import only at the first call
        ApplicationAutoscalingBackend,
        FakeApplicationAutoscalingPolicy,
    )

    # moto would look for the ECS services in its own state, but this plugin keeps them.
    ApplicationAutoscalingBackend._ecs_service_exists_for_target = lambda *_: True  # noqa: SLF001
    # moto would make alarms on metrics of its own choice, and where LocalStack's CloudWatch does not see them.
    FakeApplicationAutoscalingPolicy.create_alarms = lambda _: None
    FakeApplicationAutoscalingPolicy.delete_alarms = lambda *_: None
    provider = ApplicationAutoScaling(_ecs.has_service, _scaling.known, partial(_client, "cloudwatch"))
    return over_moto("application-autoscaling", provider.operations)


@_provides(api="autoscaling")
def autoscaling() -> Service:
    from moto.autoscaling.models import (  # noqa: PLC0415 - import only at the first call
        AutoScalingBackend,
        FakeAutoScalingGroup,
        InstanceState,
    )

    # moto would launch and end instances itself, and replace those that EC2 ends. Here the group's core decides that.
    FakeAutoScalingGroup.set_desired_capacity = _keep_desired_capacity
    AutoScalingBackend.notify_terminate_instances = lambda *_: None
    # moto does not know what each instance is made of, nor these settings.
    InstanceState.launch_template = property(lambda member: member.made_of)
    FakeAutoScalingGroup.default_instance_warmup = None
    FakeAutoScalingGroup.max_instance_lifetime = None
    known = KnownGroups(_groups, _group_steps)
    service = over_moto("autoscaling", AutoScaling(known, _now, _chance).operations, _driven)
    policies = PolicyOperations(known, _driven, partial(_client, "cloudwatch"), stored_alarms, _now)
    return over_localstack(service, policies.operations, lambda _: nullcontext())


@_provides(api="ecr")
def ecr() -> Service:
    return over_moto("ecr", Ecr(RegistryAccess.of(os.environ), lambda: moment(_now())).operations)


@_provides(api="ecs")
def ecs() -> Service:
    operations = {**_ecs.operations, **CapacityProviderOperations(_groups).operations}
    return over_moto("ecs", operations, _driven)


@_provides(api="elb")
def elb() -> Service:
    return over_moto("elb", _elb.operations, _driven)


@_provides(api="elbv2")
def elbv2() -> Service:
    return over_moto("elbv2", _elbv2.operations, _driven)


@_provides(api="cloudwatch", name="control-plane")
def cloudwatch() -> Service:
    from localstack.services.cloudwatch import provider_v2  # noqa: PLC0415 - import only at the first call
    from localstack.services.cloudwatch.alarm_scheduler import AlarmScheduler  # noqa: PLC0415

    # LocalStack would evaluate plain alarms too, in another way, and composite ones where it can.
    AlarmScheduler.schedule_metric_alarm = lambda *_, **__: None
    provider_v2.CloudwatchProvider._evaluate_composite_alarms = lambda *_: None  # noqa: SLF001
    provider_v2.CloudwatchProvider._validate_alarm_rule_expression = lambda *_: []  # noqa: SLF001
    written = provider_v2.create_message_response_update_state_sns
    provider_v2.create_message_response_update_state_sns = lambda alarm, before: notification(
        written(alarm, before), alarm.alarm
    )
    operations = cloudwatch_operations(_now, _metrics.write_sets)
    service = over_localstack(Service.for_provider(provider_v2.CloudwatchProvider()), operations)
    _watch.begin()
    return service


@_provides(api="ec2", name="control-plane")
def ec2() -> Service:
    from localstack.services.ec2.provider import Ec2Provider  # noqa: PLC0415 - import only at the first call
    from moto.ec2.models.security_groups import SecurityGroupRule  # noqa: PLC0415

    # moto finds the description of a rule for an address range, but not of a rule for another security group.
    SecurityGroupRule.description = property(
        lambda rule: rule.ip_range.get("Description") or rule.source_group.get("Description")
    )
    service = Service.for_provider(Ec2Provider(), dispatch_table_factory=MotoFallbackDispatcher)
    over_localstack(service, EC2_OPERATIONS)
    # A group learns at once that one of its instances has ended.
    return over_localstack(service, dict.fromkeys(_OF_INSTANCES, lambda call: call.forward()), _driven)


@_provides(api="logs", name="control-plane")
def logs() -> Service:
    from localstack.services.logs import provider  # noqa: PLC0415 - import only at the first call

    # LocalStack takes every line for a match.
    provider.get_pattern_matcher = _pattern_matcher
    service = Service.for_provider(provider.LogsProvider(), dispatch_table_factory=MotoFallbackDispatcher)
    # LocalStack's own would count the lines a second time.
    service.skeleton.dispatch_table["PutLogEvents"] = to_moto
    return over_localstack(service, Logs(_publish, _now).operations)


@_provides(api="sqs", name="control-plane")
def sqs() -> Service:
    from localstack.services.sqs.provider import SqsProvider  # noqa: PLC0415 - import only at the first call

    return over_localstack(Service.for_provider(SqsProvider()), SQS_OPERATIONS)


@_provides(api="ssm", name="control-plane")
def ssm() -> Service:
    from localstack.services.ssm.provider import SsmProvider  # noqa: PLC0415 - import only at the first call

    service = Service.for_provider(SsmProvider(), dispatch_table_factory=MotoFallbackDispatcher)
    # Nothing is kept here, so that no caller waits for another.
    return over_localstack(service, SSM_OPERATIONS, lambda _: nullcontext())


def _pattern_matcher(pattern: str) -> Callable[[str, Values], bool]:
    """What LocalStack asks about a log event. A pattern from before it was checked may be one that counts nothing."""
    try:
        matches = matcher(pattern)
    except InvalidPattern:
        return lambda *_: False
    return lambda _, event: matches(event["message"])


def _keep_desired_capacity(group: Any, count: int | None) -> None:
    group.desired_capacity = group.min_size if count is None else count


def _open(routes: Mapping[str, Route]) -> None:
    for path, route in routes.items():

        def endpoint(request: Request, *, route: Route = route, **place: str) -> Response:
            try:
                with _driver.call(changes=True):
                    return Response.for_json(route(request.method, place, request.get_json(silent=True) or {}))
            except AwsError as error:
                return _failed(error)

        ROUTER.add(path, endpoint, methods=["DELETE", "PUT"])


def _answer_desired(request: Request) -> Response:
    """https://.../_sim/cluster/desired[?after=REVISION]"""
    try:
        return Response(_driver.desired(request.args.get("after", type=int)), mimetype="application/json")
    except AwsError as error:
        return _failed(error)


def _answer_objects(request: Request, bucket: str) -> Response:
    """https://.../_sim/buckets/NAME/objects[?prefix=PREFIX]: their number, since to list many takes long."""
    account = s3_stores[DEFAULT_AWS_ACCOUNT_ID][AWS_REGION_US_EAST_1].global_bucket_map.get(bucket)
    if account is None:
        return Response(status=HTTPStatus.NOT_FOUND)
    objects = s3_stores[account][AWS_REGION_US_EAST_1].buckets[bucket].objects.values()
    prefix = request.args.get("prefix", "")
    there = (each for each in objects if not isinstance(each, S3DeleteMarker))
    return Response.for_json({"objects": sum(each.key.startswith(prefix) for each in there)})


def _answer_health(_: Request) -> Response:
    try:
        _driver.check()
    except AwsError as error:
        return _failed(error)
    return Response.for_json({"driver": "on" if _on.is_set() else "off"})


def _answer(answer: Answer, _: Request, **place: str) -> Response:
    try:
        return Response.for_json(answer(place))
    except AwsError as error:
        return _failed(error)


def _find_way(chain: Any, context: RequestContext, _response: Response) -> None:
    """A handler of LocalStack's chain: what has no way to AWS gets no answer from whoever passed the call on."""
    if context.operation is None or context.is_internal_call:
        return
    caller = _permissions.caller(context.account_id, access_key(context))
    if caller and (gateway := _egress.lost_gateway(caller, context.service.service_name)):
        chain.respond(504, headers={NO_ROUTE: gateway})


def _judge(_chain: object, context: RequestContext, _response: Response) -> None:
    """A handler of LocalStack's chain: refuses what the caller's role may not do."""
    if context.operation is None or context.is_internal_call:
        return
    protocol = _PROTOCOLS.get(context.protocol, ApiProtocol.JSON)
    call = ApiCall(context.service.service_name, context.operation.name, protocol)
    destination = Destination(context.region, context.account_id)
    error = _permissions.refusal(access_key(context), call, context.service_request or {}, destination)
    if error is not None:
        # SQS writes the name of the class as the type of the error.
        refusal = type(error.code, (CommonServiceException,), {})
        raise refusal(error.code, error.message, status_code=error.status, sender_fault=True)


def _failed(error: AwsError) -> Response:
    return Response.for_json({"code": error.code, "message": error.message}, status=error.status)
