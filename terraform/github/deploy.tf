# Applies the roots of the two services when nothing changes in them but the image and the service's size and settings.
# It reads their roles and does not write them: whoever writes a role that he can pass may do everything. Roles, and
# the other roots, are for a person to apply.

data "aws_partition" "current" {}

data "aws_caller_identity" "current" {}

data "aws_region" "current" {}

locals {
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.name
  account   = data.aws_caller_identity.current.account_id

  state  = "arn:${local.partition}:s3:::${var.state_bucket}"
  ecs    = "arn:${local.partition}:ecs:${local.region}:${local.account}"
  alarms = "arn:${local.partition}:cloudwatch:${local.region}:${local.account}:alarm"

  scalable_targets = "arn:${local.partition}:application-autoscaling:${local.region}:${local.account}:scalable-target/*"

  role_arns = flatten(local.services[*].role_arns)
}

data "aws_iam_policy_document" "deploy" {
  statement {
    sid       = "FindStates"
    actions   = ["s3:ListBucket"]
    resources = [local.state]
  }

  statement {
    sid       = "ReadStates"
    actions   = ["s3:GetObject"]
    resources = [for root in ["cluster", "messaging", "services/api", "services/worker"] : "${local.state}/${root}/terraform.tfstate"]
  }

  statement {
    sid       = "WriteStates"
    actions   = ["s3:PutObject"]
    resources = ["${local.state}/services/api/terraform.tfstate", "${local.state}/services/worker/terraform.tfstate"]
  }

  statement {
    sid       = "LockStates"
    actions   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
    resources = ["${local.state}/services/api/terraform.tfstate.tflock", "${local.state}/services/worker/terraform.tfstate.tflock"]
  }

  statement {
    sid       = "OneDeploymentAtATime"
    actions   = ["s3:GetObject", "s3:PutObject"]
    resources = ["${local.state}/deployment.json"]
  }

  statement {
    # Unused locally (ecs:CreateService, ecs:TagResource): roots are applied with an image, so their services are there.
    sid       = "ReleaseTheServices"
    actions   = ["ecs:CreateService", "ecs:DescribeServices", "ecs:ListServiceDeployments", "ecs:TagResource", "ecs:UpdateService"]
    resources = [for service in local.services : "${local.ecs}:service/${local.cluster.cluster_name}/${service.service_name}"]
  }

  statement {
    # Unused locally (ecs:DescribeTasks, ecs:ListTasks): they say why a deployment failed, and those of the role succeed.
    sid       = "WatchTheServices"
    actions   = ["ecs:DescribeTasks", "ecs:ListTasks"]
    resources = ["*"]

    condition {
      test     = "ArnEquals"
      variable = "ecs:cluster"
      values   = [local.cluster.cluster_arn]
    }
  }

  # ECS takes no ARN for them. What a task definition may do is decided by the roles that can be passed.
  statement {
    sid       = "DefineTasks"
    actions   = ["ecs:DescribeTaskDefinition", "ecs:RegisterTaskDefinition"]
    resources = ["*"]
  }

  statement {
    sid       = "TagTaskDefinitions"
    actions   = ["ecs:TagResource"]
    resources = [for service in local.services : "${local.ecs}:task-definition/${service.service_name}:*"]
  }

  statement {
    sid       = "PassTheirRoles"
    actions   = ["iam:PassRole"]
    resources = local.role_arns

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ecs-tasks.amazonaws.com"]
    }
  }

  statement {
    sid       = "ReadTheirRoles"
    actions   = ["iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies"]
    resources = local.role_arns
  }

  statement {
    sid       = "FindImages"
    actions   = ["ecr:DescribeImages", "ecr:DescribeRepositories", "ecr:ListTagsForResource"]
    resources = local.services[*].repository_arn
  }

  # An image that is deployed gets a tag that says so. Without layers of its own, no other image can come under it.
  statement {
    sid       = "TagWhatIsDeployed"
    actions   = ["ecr:BatchGetImage", "ecr:PutImage"]
    resources = local.services[*].repository_arn
  }

  # Terraform reads the token when it looks whether all is as it was; a smoke test brings it.
  statement {
    sid       = "ReadTheToken"
    actions   = ["ssm:GetParameter", "ssm:ListTagsForResource"]
    resources = [data.terraform_remote_state.api.outputs.token_parameter_arn]
  }

  statement {
    sid       = "ReadTheirLogs"
    actions   = ["logs:DescribeMetricFilters", "logs:ListTagsForResource"]
    resources = flatten([for service in local.services : [service.log_group_arn, "${service.log_group_arn}:*"]])
  }

  # A smoke test finds the e-mails that it sent, and removes them.
  statement {
    sid       = "FindWhatASmokeTestSent"
    actions   = ["s3:ListBucket"]
    resources = [local.worker.bucket_arn]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["${local.worker.prefix}*"]
    }
  }

  statement {
    sid       = "RemoveWhatASmokeTestSent"
    actions   = ["s3:DeleteObject", "s3:GetObject"]
    resources = ["${local.worker.bucket_arn}/${local.worker.prefix}*"]
  }

  statement {
    # Unused locally (cloudwatch:PutMetricAlarm, cloudwatch:TagResource): only the image is new, and no setting.
    sid     = "AlarmOnThem"
    actions = ["cloudwatch:ListTagsForResource", "cloudwatch:PutMetricAlarm", "cloudwatch:TagResource"]
    resources = flatten([for service in local.services : [
      "${local.alarms}:${service.service_name}-*",
      "${local.alarms}:TargetTracking-service/${local.cluster.cluster_name}/${service.service_name}-*",
    ]])
  }

  statement {
    # Unused locally (application-autoscaling:PutScalingPolicy, application-autoscaling:RegisterScalableTarget): as above.
    sid       = "ScaleTheWorker"
    actions   = ["application-autoscaling:PutScalingPolicy", "application-autoscaling:RegisterScalableTarget"]
    resources = [local.scalable_targets]

    condition {
      test     = "StringEquals"
      variable = "application-autoscaling:service-namespace"
      values   = ["ecs"]
    }
  }

  statement {
    # Unused locally (application-autoscaling:TagResource): as above.
    sid       = "TagItsScaling"
    actions   = ["application-autoscaling:ListTagsForResource", "application-autoscaling:TagResource"]
    resources = [local.scalable_targets]
  }

  # The account's first scaling of an ECS service makes it.
  statement {
    # Unused locally (iam:CreateServiceLinkedRole): the account's root user applied the first scaling.
    sid       = "LetScalingAct"
    actions   = ["iam:CreateServiceLinkedRole"]
    resources = ["arn:${local.partition}:iam::${local.account}:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/*"]

    condition {
      test     = "StringEquals"
      variable = "iam:AWSServiceName"
      values   = ["ecs.application-autoscaling.amazonaws.com"]
    }
  }

  # Those that AWS gives for all resources or for none. They tell of names and sizes, and change nothing.
  statement {
    sid = "LookAround"
    actions = [
      "application-autoscaling:DescribeScalableTargets",
      "application-autoscaling:DescribeScalingPolicies",
      "cloudwatch:DescribeAlarms",
      "logs:DescribeLogGroups",
      "secretsmanager:GetRandomPassword",
      "ssm:DescribeParameters",
    ]
    resources = ["*"]
  }
}
