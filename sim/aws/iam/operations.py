"""Which permissions each operation needs, for the operations that the roots' roles are for.

An operation that is not here is not known: whoever enforces permissions lets it pass, and reports it. What a call needs
of KMS because of what it finds, such as a SecureString or an encrypted queue, is not known from its parameters.
"""

from __future__ import annotations

from collections.abc import Mapping

from sim.aws.iam.needs import (
    ALL,
    Destination,
    Keys,
    Need,
    Parameters,
    Resources,
    Rule,
    also,
    everything,
    key,
    named,
    nothing,
    on,
    values,
    where,
)

_PREFIXES = {"monitoring": "cloudwatch", "elb": "elasticloadbalancing"}
"""The names of services in policies, where the SDKs have others."""
_DESCRIBED_AS_A_WHOLE = frozenset({"autoscaling", "ec2", "elasticloadbalancing"})
"""Services whose Describe operations know no resources."""


def needs_of(service: str, operation: str, parameters: Parameters, destination: Destination) -> list[Need] | None:
    """What a call needs; None if the operation is not known, and nothing if everybody may call it.

    `service` is its name in the SDKs, and `parameters` are as boto3 takes them.
    """
    prefix = _PREFIXES.get(service, service)
    rule = OPERATIONS.get(f"{prefix}:{operation}")
    if rule is None and prefix in _DESCRIBED_AS_A_WHOLE and operation.startswith("Describe"):
        rule = on(f"{prefix}:{operation}", everything)
    return None if rule is None else rule(parameters, destination)


def _same(service: str, operations: str, resources: Resources, keys: Keys | None = None) -> dict[str, Rule]:
    """Operations that need the action of their own name."""
    return {name: on(name, resources, keys) for name in (f"{service}:{each}" for each in operations.split())}


def _queue(parameters: Parameters, destination: Destination) -> list[str]:
    name = parameters.get("QueueName") or str(parameters.get("QueueUrl") or ALL).rpartition("/")[2]
    return [destination.arn("sqs", name)]


# A batch needs the permission of its single operation.
_SQS = {
    **_same("sqs", "CreateQueue GetQueueUrl GetQueueAttributes SetQueueAttributes DeleteQueue PurgeQueue", _queue),
    **_same("sqs", "SendMessage ReceiveMessage DeleteMessage ChangeMessageVisibility", _queue),
    **_same("sqs", "ListQueueTags TagQueue UntagQueue ListDeadLetterSourceQueues", _queue),
    "sqs:SendMessageBatch": on("sqs:SendMessage", _queue),
    "sqs:DeleteMessageBatch": on("sqs:DeleteMessage", _queue),
    "sqs:ChangeMessageVisibilityBatch": on("sqs:ChangeMessageVisibility", _queue),
}


def _bucket(parameters: Parameters, destination: Destination) -> list[str]:
    return [f"arn:{destination.partition}:s3:::{parameters.get('Bucket') or ALL}"]


def _object(parameters: Parameters, destination: Destination) -> list[str]:
    return [f"{_bucket(parameters, destination)[0]}/{parameters.get('Key') or ALL}"]


def _of_version(action: str) -> Rule:
    """A version that is named needs an action of its own."""
    plain, of_version = on(f"s3:{action}", _object), on(f"s3:{action}Version", _object)
    return lambda parameters, destination: (of_version if parameters.get("VersionId") else plain)(
        parameters, destination
    )


def _listing(parameters: Parameters, destination: Destination) -> Mapping[str, str]:
    del destination
    keys = {"s3:prefix": "Prefix", "s3:delimiter": "Delimiter", "s3:max-keys": "MaxKeys"}
    return {name: str(parameters[of]) for name, of in keys.items() if parameters.get(of) is not None}


def _deleted(parameters: Parameters, destination: Destination) -> list[Need]:
    objects = (parameters.get("Delete") or {}).get("Objects") or ()
    rule = _of_version("DeleteObject")
    return [need for each in objects for need in rule({"Bucket": parameters.get("Bucket"), **each}, destination)]


def _copied(parameters: Parameters, destination: Destination) -> list[str]:
    source = parameters.get("CopySource") or ALL
    path = f"{source['Bucket']}/{source['Key']}" if isinstance(source, Mapping) else str(source).lstrip("/")
    return [f"arn:{destination.partition}:s3:::{path.partition('?')[0]}"]


# https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
_S3 = {
    "s3:ListBuckets": on("s3:ListAllMyBuckets", everything),
    "s3:HeadBucket": on("s3:ListBucket", _bucket),
    "s3:ListObjects": on("s3:ListBucket", _bucket, _listing),
    "s3:ListObjectsV2": on("s3:ListBucket", _bucket, _listing),
    "s3:ListObjectVersions": on("s3:ListBucketVersions", _bucket, _listing),
    "s3:ListMultipartUploads": on("s3:ListBucketMultipartUploads", _bucket),
    "s3:GetObject": _of_version("GetObject"),
    "s3:HeadObject": _of_version("GetObject"),
    "s3:DeleteObject": _of_version("DeleteObject"),
    "s3:DeleteObjects": _deleted,
    "s3:CopyObject": also(on("s3:GetObject", _copied), on("s3:PutObject", _object)),
    "s3:PutObject": on("s3:PutObject", _object),
    "s3:CreateMultipartUpload": on("s3:PutObject", _object),
    "s3:UploadPart": on("s3:PutObject", _object),
    "s3:CompleteMultipartUpload": on("s3:PutObject", _object),
    "s3:ListParts": on("s3:ListMultipartUploadParts", _object),
    **_same("s3", "AbortMultipartUpload", _object),
    **_same("s3", "CreateBucket DeleteBucket GetBucketLocation GetBucketVersioning PutBucketVersioning", _bucket),
    **_same("s3", "GetBucketPolicy PutBucketPolicy DeleteBucketPolicy GetBucketTagging PutBucketTagging", _bucket),
    **_same("s3", "GetBucketAcl GetBucketLogging GetBucketOwnershipControls GetBucketPolicyStatus", _bucket),
    **_same("s3", "GetBucketRequestPayment GetBucketWebsite", _bucket),
    "s3:GetBucketAccelerateConfiguration": on("s3:GetAccelerateConfiguration", _bucket),
    "s3:GetBucketCors": on("s3:GetBucketCORS", _bucket),
    "s3:GetBucketReplication": on("s3:GetReplicationConfiguration", _bucket),
    "s3:GetObjectLockConfiguration": on("s3:GetBucketObjectLockConfiguration", _bucket),
    "s3:GetBucketEncryption": on("s3:GetEncryptionConfiguration", _bucket),
    "s3:PutBucketEncryption": on("s3:PutEncryptionConfiguration", _bucket),
    "s3:GetBucketLifecycleConfiguration": on("s3:GetLifecycleConfiguration", _bucket),
    "s3:PutBucketLifecycleConfiguration": on("s3:PutLifecycleConfiguration", _bucket),
    "s3:GetPublicAccessBlock": on("s3:GetBucketPublicAccessBlock", _bucket),
    "s3:PutPublicAccessBlock": on("s3:PutBucketPublicAccessBlock", _bucket),
}


def _parameter(by: str) -> Resources:
    """An ARN has one slash between `parameter` and the name. Parameters of AWS's own belong to no account."""

    def arns(parameters: Parameters, destination: Destination) -> list[str]:
        return [_parameter_arn(each, destination) for each in values(parameters, by)]

    return arns


def _parameter_arn(name: str, destination: Destination) -> str:
    if name.startswith("arn:"):
        return name
    plain = name.partition(":")[0].lstrip("/")
    owner = (
        Destination(destination.region, "", destination.partition) if plain.startswith("aws/service/") else destination
    )
    return owner.arn("ssm", f"parameter/{plain}")


_SSM = {
    **_same("ssm", "DescribeParameters", everything),
    **_same("ssm", "GetParameter GetParameterHistory PutParameter DeleteParameter", _parameter("Name")),
    **_same("ssm", "GetParameters", _parameter("Names")),
    **_same("ssm", "GetParametersByPath", _parameter("Path")),
    **_same("ssm", "ListTagsForResource AddTagsToResource RemoveTagsFromResource", _parameter("ResourceId")),
}


def _cluster(parameters: Parameters, destination: Destination) -> list[str]:
    return named("ecs", "cluster/{}", "cluster")({"cluster": parameters.get("cluster") or "default"}, destination)


def _in_cluster(kind: str, parameter: str) -> Resources:
    """What is in a cluster, by the parameter that names one or several."""

    def arns(parameters: Parameters, destination: Destination) -> list[str]:
        cluster = _cluster(parameters, destination)[0].rpartition("/")[2]
        return named("ecs", f"{kind}/{cluster}/{{}}", parameter)(parameters, destination)

    return arns


def _of_cluster(parameters: Parameters, destination: Destination) -> Mapping[str, str]:
    return {"ecs:cluster": _cluster(parameters, destination)[0]}


def _passed(parameter: str, to: str) -> Rule:
    """[Guide] id_roles_use_passrole: who hands a role to a service needs to be allowed to."""
    role = named("iam", "role/{}", parameter)
    return where(parameter, on("iam:PassRole", _global(role), lambda *_: {"iam:PassedToService": to}))


def _global(resources: Resources) -> Resources:
    """IAM's resources are in no region."""
    return lambda parameters, destination: resources(
        parameters, Destination("", destination.account, destination.partition)
    )


TASK_ROLES: Rule = also(
    _passed("taskRoleArn", "ecs-tasks.amazonaws.com"), _passed("executionRoleArn", "ecs-tasks.amazonaws.com")
)
"""The rule for the roles of a task definition, whose settings it takes as parameters."""
_SERVICE = _in_cluster("service", "service")
_NEW_SERVICE = _in_cluster("service", "serviceName")
_FAMILY = named("ecs", "task-definition/{}:*", "family")
_INSTANCE = _in_cluster("container-instance", "containerInstance")


def _definition(parameters: Parameters, destination: Destination) -> list[str]:
    """A family without a revision stands for its newest, whose number is not in the call."""
    arns = named("ecs", "task-definition/{}", "taskDefinition")(parameters, destination)
    return [arn if ":" in arn.rpartition("/")[2] else f"{arn}:*" for arn in arns]


# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/supported-iam-actions-tagging.html for tags at creation.
_ECS = {
    **_same("ecs", "DescribeTaskDefinition DeregisterTaskDefinition ListTaskDefinitions ListServices", everything),
    **_same("ecs", "DiscoverPollEndpoint ListClusters", everything),
    **_same("ecs", "DescribeCapacityProviders", named("ecs", "capacity-provider/{}", "capacityProviders")),
    **_same("ecs", "DescribeClusters", named("ecs", "cluster/{}", "clusters")),
    **_same("ecs", "RegisterContainerInstance DeregisterContainerInstance ListContainerInstances", _cluster),
    **_same("ecs", "DescribeServices", _in_cluster("service", "services"), _of_cluster),
    **_same("ecs", "UpdateService DeleteService ListServiceDeployments", _SERVICE, _of_cluster),
    **_same("ecs", "DescribeTasks", _in_cluster("task", "tasks"), _of_cluster),
    **_same("ecs", "StopTask", _in_cluster("task", "task"), _of_cluster),
    **_same("ecs", "ListTasks", _INSTANCE, _of_cluster),
    **_same("ecs", "DescribeContainerInstances", _in_cluster("container-instance", "containerInstances"), _of_cluster),
    **_same(
        "ecs", "UpdateContainerInstancesState", _in_cluster("container-instance", "containerInstances"), _of_cluster
    ),
    **_same("ecs", "SubmitTaskStateChange SubmitContainerStateChange SubmitAttachmentStateChanges", _cluster),
    **_same("ecs", "UpdateContainerAgent", _INSTANCE, _of_cluster),
    **_same("ecs", "RunTask", _definition, _of_cluster),
    **_same("ecs", "ListTagsForResource TagResource UntagResource", named("ecs", "{}", "resourceArn")),
    "ecs:CreateService": also(
        on("ecs:CreateService", _NEW_SERVICE, _of_cluster),
        where("tags", on("ecs:TagResource", _NEW_SERVICE)),
        _passed("role", "ecs.amazonaws.com"),
    ),
    "ecs:RegisterTaskDefinition": also(
        on("ecs:RegisterTaskDefinition", _FAMILY), where("tags", on("ecs:TagResource", _FAMILY)), TASK_ROLES
    ),
}

_REPOSITORY = named("ecr", "repository/{}", "repositoryName")
_ECR = {
    **_same("ecr", "GetAuthorizationToken", everything),
    **_same("ecr", "BatchCheckLayerAvailability BatchGetImage GetDownloadUrlForLayer DescribeImages", _REPOSITORY),
    **_same("ecr", "PutImage InitiateLayerUpload UploadLayerPart CompleteLayerUpload ListImages", _REPOSITORY),
    **_same("ecr", "CreateRepository DeleteRepository GetLifecyclePolicy GetRepositoryPolicy", _REPOSITORY),
    **_same("ecr", "DescribeRepositories", named("ecr", "repository/{}", "repositoryNames")),
    **_same("ecr", "ListTagsForResource TagResource", named("ecr", "repository/{}", "resourceArn")),
}

_LOG_GROUP = named("logs", "log-group:{}", "logGroupName")


def _log_stream(parameters: Parameters, destination: Destination) -> list[str]:
    stream = parameters.get("logStreamName") or ALL
    return [f"{group}:log-stream:{stream}" for group in _LOG_GROUP(parameters, destination)]


_LOGS = {
    **_same("logs", "CreateLogStream PutLogEvents GetLogEvents", _log_stream),
    **_same("logs", "CreateLogGroup DeleteLogGroup DescribeLogStreams FilterLogEvents PutRetentionPolicy", _LOG_GROUP),
    **_same("logs", "DescribeMetricFilters PutMetricFilter", _LOG_GROUP),
    **_same("logs", "DescribeLogGroups", everything),
    **_same("logs", "ListTagsForResource TagResource", named("logs", "log-group:{}", "resourceArn")),
}

_ROLE = _global(named("iam", "role/{}", "RoleName"))
_PROFILE = _global(named("iam", "instance-profile/{}", "InstanceProfileName"))
_PROVIDER = _global(named("iam", "oidc-provider/{}", "OpenIDConnectProviderArn"))
_LINKED = _global(named("iam", "role/aws-service-role/{}/*", "AWSServiceName"))
_IAM = {
    **_same("iam", "GetRole CreateRole DeleteRole UpdateAssumeRolePolicy ListRolePolicies GetRolePolicy", _ROLE),
    **_same("iam", "PutRolePolicy DeleteRolePolicy ListAttachedRolePolicies ListRoleTags TagRole", _ROLE),
    **_same("iam", "GetInstanceProfile", _PROFILE),
    **_same("iam", "GetOpenIDConnectProvider", _PROVIDER),
    **_same("iam", "ListOpenIDConnectProviders ListRoles", everything),
    **_same("iam", "AttachRolePolicy DetachRolePolicy", _ROLE, key("iam:PolicyARN", "PolicyArn")),
    **_same("iam", "CreateServiceLinkedRole", _LINKED, key("iam:AWSServiceName", "AWSServiceName")),
}

_ASSUMED = _global(named("iam", "role/{}", "RoleArn"))
_STS = {
    # https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    "sts:GetCallerIdentity": nothing,
    **_same("sts", "AssumeRole AssumeRoleWithWebIdentity", _ASSUMED, key("sts:RoleSessionName", "RoleSessionName")),
}

_KEY = named("kms", "key/{}", "KeyId")
_ALARM = named("cloudwatch", "alarm:{}", "AlarmName")
_NAMESPACE = key("application-autoscaling:service-namespace", "ServiceNamespace")


def _any_target(parameters: Parameters, destination: Destination) -> list[str]:
    """The id in a scalable target's ARN is in no parameter."""
    del parameters
    return [destination.arn("application-autoscaling", "scalable-target/*")]


def _dashboard(parameters: Parameters, destination: Destination) -> list[str]:
    """Dashboards are the same in every region."""
    return [f"arn:{destination.partition}:cloudwatch::{destination.account}:dashboard/{parameters['DashboardName']}"]


_OTHERS = {
    **_same("kms", "Decrypt Encrypt GenerateDataKey DescribeKey", _KEY),
    **_same("sns", "Publish GetTopicAttributes", named("sns", "{}", "TopicArn")),
    **_same("sns", "ListTagsForResource", named("sns", "{}", "ResourceArn")),
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html: it knows no resource.
    **_same("sns", "GetSubscriptionAttributes", everything),
    **_same("events", "DescribeRule", named("events", "rule/{}", "Name")),
    **_same("events", "ListTargetsByRule", named("events", "rule/{}", "Rule")),
    **_same("events", "ListTagsForResource", named("events", "rule/{}", "ResourceARN")),
    **_same("cloudwatch", "GetDashboard", _dashboard),
    **_same("secretsmanager", "GetRandomPassword", everything),
    **_same("secretsmanager", "GetSecretValue", named("secretsmanager", "secret:{}", "SecretId")),
    **_same("cloudwatch", "GetMetricData GetMetricStatistics ListMetrics", everything),
    **_same("cloudwatch", "PutMetricData", everything, key("cloudwatch:namespace", "Namespace")),
    **_same("cloudwatch", "DescribeAlarms", named("cloudwatch", "alarm:{}", "AlarmNames")),
    **_same("cloudwatch", "DeleteAlarms", named("cloudwatch", "alarm:{}", "AlarmNames")),
    "cloudwatch:PutMetricAlarm": also(
        on("cloudwatch:PutMetricAlarm", _ALARM), where("Tags", on("cloudwatch:TagResource", _ALARM))
    ),
    **_same("cloudwatch", "ListTagsForResource TagResource", named("cloudwatch", "alarm:{}", "ResourceARN")),
    **_same("application-autoscaling", "DescribeScalableTargets DescribeScalingPolicies", everything),
    **_same(
        "application-autoscaling",
        "RegisterScalableTarget PutScalingPolicy DeleteScalingPolicy",
        _any_target,
        _NAMESPACE,
    ),
    **_same(
        "application-autoscaling",
        "ListTagsForResource TagResource",
        named("application-autoscaling", "scalable-target/{}", "ResourceARN"),
    ),
    **_same("elasticloadbalancing", "DescribeInstanceHealth DescribeLoadBalancers", everything),
}

OPERATIONS: Mapping[str, Rule] = {**_SQS, **_S3, **_SSM, **_ECS, **_ECR, **_LOGS, **_IAM, **_STS, **_OTHERS}
"""The rule of each operation that is known, by the service's name in policies and the operation's."""
