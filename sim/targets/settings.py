"""How the services are set in a target, and when the API is ready; the same for a process and a container."""

from __future__ import annotations

from collections.abc import Callable

from sim.cloud.aws_client import CREDENTIALS, REGION
from sim.cloud.resources import Provisioned, Resources
from sim.faults.plan import AwsService
from sim.host.loopback import answers
from sim.targets.target import CALLS, SERVICES, Service, Tuning

HEARTBEAT_SECONDS = 60
PROCESSES = 2
NO_INSTANCE_METADATA = {"AWS_EC2_METADATA_DISABLED": "true"}
"""SDKs then do not wait for an address that answers only in EC2."""
_READY_TIMEOUT_SECONDS = 2


def provisioned_by_kit(resources: Resources, tuning: Tuning) -> Provisioned:
    """What the kit makes, and how the services are set then. `DataPlane.create` makes it."""
    shared = {"AWS_REGION": REGION, "QUEUE_URL": resources.queue_url, "PROCESSES": str(PROCESSES)}
    own = {"api": _api(resources), "worker": _worker(resources, tuning)}
    extra = tuning.service_environment or {}
    return Provisioned(resources, {service: {**shared, **own[service], **extra} for service in SERVICES})


def access(service: Service, endpoint: Callable[[AwsService], str]) -> dict[str, str]:
    """By which a service gets at the local cloud: in AWS, its role and the SDK's own endpoints."""
    return {**CREDENTIALS, **NO_INSTANCE_METADATA, **endpoints(service, endpoint)}


def endpoints(service: Service, endpoint: Callable[[AwsService], str]) -> dict[str, str]:
    """Where a service reaches each AWS service that it calls."""
    return {f"AWS_ENDPOINT_URL_{aws.upper()}": endpoint(aws) for aws in CALLS[service]}


def terraform_variables(tuning: Tuning) -> dict[str, str]:
    """The tuning as variables of Terraform's roots."""
    settings = {name.lower(): value for name, value in (tuning.service_environment or {}).items()}
    return {
        **settings,
        "visibility_timeout_seconds": str(tuning.visibility_timeout),
        "max_receive_count": str(tuning.max_receive_count),
        "receive_wait_time_seconds": str(tuning.receive_wait),
    }


def api_ready(url: str) -> bool:
    """Whether the API can reach what it depends on."""
    return answers(f"{url}/ready", seconds=_READY_TIMEOUT_SECONDS)


def _api(resources: Resources) -> dict[str, str]:
    return {"TOKEN_PARAMETER": resources.token_parameter}


def _worker(resources: Resources, tuning: Tuning) -> dict[str, str]:
    return {
        "BUCKET": resources.bucket,
        "PREFIX": resources.prefix,
        "RECEIVE_WAIT_SECONDS": str(tuning.receive_wait),
        "VISIBILITY_TIMEOUT_SECONDS": str(tuning.visibility_timeout),
        "HEARTBEAT_SECONDS": str(HEARTBEAT_SECONDS),
    }
