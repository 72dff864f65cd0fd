"""LocalStack's environment variables, and the check whether it is ready."""

from __future__ import annotations

import json
from pathlib import Path

from sim.aws.ecr_authorization import RegistryAccess
from sim.cluster import aws_clock
from sim.host.loopback import NoAnswer, request

DATA_PLANE = ("s3", "sqs", "ssm", "sts", "iam")
SERVICES = (
    *DATA_PLANE,
    *("acm", "cloudwatch", "ec2", "events", "kms", "logs", "resourcegroupstaggingapi", "route53"),
    *("secretsmanager", "sns"),
    *("application-autoscaling", "autoscaling", "ecr", "ecs", "elb", "elbv2"),
)
"""LocalStack loads each at the first call. The last row comes from the control plane."""

_CORRECTED = ("CLOUDWATCH", "EC2", "LOGS", "SQS", "SSM")
"""Services of LocalStack that the control plane corrects."""
_TIMEOUT_SECONDS = 2

PORT = 4566
"""The port on which LocalStack listens in a container."""

_EVERYWHERE = {
    "SERVICES": ",".join(SERVICES),
    **{f"PROVIDER_OVERRIDE_{service}": "control-plane" for service in _CORRECTED},
    # AWS managed policies, which are loaded at the first call to IAM.
    "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
    # The form of queue URLs that Terraform's AWS provider accepts.
    "SQS_ENDPOINT_STRATEGY": "off",
    "SQS_DISABLE_CLOUDWATCH_METRICS": "1",
    "DISABLE_EVENTS": "1",
    "SKIP_SSL_CERT_DOWNLOAD": "1",
    "DNS_ADDRESS": "0",
}


def environment(
    host: str, port: int, directory: Path, registry: RegistryAccess | None = None, time_scale: float = 1.0
) -> dict[str, str]:
    """The variables for a LocalStack on one address of this machine. It writes only below `directory`.

    An existing `cache` below `directory` saves two thirds of the start-up time. `registry` is the one of its ECR,
    `time_scale` how many times as fast AWS's clock runs.
    """
    return {
        **_EVERYWHERE,
        **(registry.environment() if registry else {}),
        **aws_clock.environment(time_scale),
        "GATEWAY_LISTEN": f"{host}:{port}",
        "OVERRIDE_IN_DOCKER": "0",
        "FILESYSTEM_ROOT": str(directory),
        "TMPDIR": str(directory),
        "XDG_CACHE_HOME": str(directory / "cache"),
    }


def container_environment(registry: RegistryAccess | None = None, time_scale: float = 1.0) -> dict[str, str]:
    """The variables for a LocalStack in a container with the control plane (`sim.images.control_plane`)."""
    access = registry.environment() if registry else {}
    clock = aws_clock.environment(time_scale)
    return {**_EVERYWHERE, **access, **clock, "GATEWAY_LISTEN": f"0.0.0.0:{PORT}"}


def is_ready(endpoint: str) -> bool:
    """True if all services of the data plane are ready behind the endpoint."""
    try:
        answer = request("GET", f"{endpoint}/_localstack/health", seconds=_TIMEOUT_SECONDS)
        states = json.loads(answer.data)["services"]
    except (NoAnswer, ValueError, KeyError):
        return False
    return all(states.get(service) in {"available", "running"} for service in DATA_PLANE)
