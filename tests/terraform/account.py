"""What there is in an account of what the roots make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import jmespath

from tests.cloud.shared import Client

_MADE: Final = [
    ("application-autoscaling", "describe_scalable_targets", "ScalableTargets[].ResourceId"),
    ("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups[].AutoScalingGroupName"),
    ("cloudwatch", "describe_alarms", "[MetricAlarms, CompositeAlarms][][].AlarmName"),
    ("cloudwatch", "list_dashboards", "DashboardEntries[].DashboardName"),
    ("ec2", "describe_addresses", "Addresses[].AllocationId"),
    ("ec2", "describe_instances", "Reservations[].Instances[?State.Name != 'terminated'].InstanceId[]"),
    ("ec2", "describe_launch_templates", "LaunchTemplates[].LaunchTemplateName"),
    ("ec2", "describe_nat_gateways", "NatGateways[?State != 'deleted'].NatGatewayId"),
    ("ec2", "describe_vpcs", "Vpcs[?!IsDefault].VpcId"),
    ("ecr", "describe_repositories", "repositories[].repositoryName"),
    ("ecs", "describe_clusters", "clusters[?status != 'INACTIVE'].clusterName"),
    ("elb", "describe_load_balancers", "LoadBalancerDescriptions[].LoadBalancerName"),
    ("events", "list_rules", "Rules[].Name"),
    ("iam", "list_instance_profiles", "InstanceProfiles[].InstanceProfileName"),
    ("iam", "list_open_id_connect_providers", "OpenIDConnectProviderList[].Arn"),
    ("iam", "list_roles", "Roles[?!starts_with(Path, '/aws-service-role/')].RoleName"),
    ("logs", "describe_log_groups", "logGroups[].logGroupName"),
    ("s3", "list_buckets", "Buckets[].Name"),
    ("sns", "list_topics", "Topics[].TopicArn"),
    ("sqs", "list_queues", "QueueUrls"),
    ("ssm", "describe_parameters", "Parameters[].Name"),
]
"""How AWS is asked for what the roots make: service, operation, and where the answer names it.

Task definitions are not among it: they stay, so that ECS finds the one to roll back to.
"""
_ASKED: Final[dict[str, dict[str, object]]] = {
    "describe_clusters": {"clusters": ["emails-local", "emails-staging"]},
    # Those that AWS itself provides are none, and there are thousands.
    "describe_parameters": {"ParameterFilters": [{"Key": "Type", "Values": ["SecureString"]}]},
    "describe_scalable_targets": {"ServiceNamespace": "ecs"},
}
"""What an operation insists on, or is to leave out."""


def made(aws: Callable[[str], Client]) -> dict[str, list[str]]:
    """The names of what is there, by what was asked."""
    return {f"{service} {operation}": _names(aws(service), operation, where) for service, operation, where in _MADE}


def _names(asking: Client, operation: str, where: str) -> list[str]:
    asked = _ASKED.get(operation, {})
    whole = asking.can_paginate(operation)
    pages = asking.get_paginator(operation).paginate(**asked) if whole else [getattr(asking, operation)(**asked)]
    return [str(name) for page in pages for name in jmespath.search(where, page) or ()]
