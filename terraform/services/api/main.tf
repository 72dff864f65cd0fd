locals {
  name      = "${var.name}-${var.environment}-api"
  cluster   = data.terraform_remote_state.cluster.outputs
  messaging = data.terraform_remote_state.messaging.outputs

  image = var.image_tag == "none" ? null : join(startswith(var.image_tag, "sha256:") ? "@" : ":", [data.aws_ecr_repository.this.repository_url, var.image_tag])

  # ECS takes an instance out of the load balancer before it stops the task. Should it not, /health says 503 for as long
  # as the load balancer may take to see it, and every request that still comes is answered.
  drain_seconds = local.cluster.unhealthy_after_seconds + 2
  stop_seconds  = local.drain_seconds + 30
  grace_seconds = 60

  # One task after the other: pulled, started and found healthy, then the old one is drained and stopped. Then the alarms are
  # watched for as long as they look back. Twice the time that it takes when all goes well.
  pull_seconds               = 60
  deployment_timeout_seconds = 2 * (local.cluster.api_tasks * (local.pull_seconds + local.grace_seconds + local.cluster.drain_seconds + local.stop_seconds) + local.alarm_seconds)
}

data "aws_region" "current" {}

data "terraform_remote_state" "cluster" {
  backend = "s3"

  config = {
    bucket = var.state_bucket
    key    = "cluster/terraform.tfstate"
  }
}

data "terraform_remote_state" "messaging" {
  backend = "s3"

  config = {
    bucket = var.state_bucket
    key    = "messaging/terraform.tfstate"
  }
}

# The root `account` makes it, for all environments.
data "aws_ecr_repository" "this" {
  name = "${var.name}/api"
}

# What the code calls, and nothing more.
data "aws_iam_policy_document" "task" {
  statement {
    sid       = "Publish"
    actions   = ["sqs:GetQueueAttributes", "sqs:SendMessage"]
    resources = [local.messaging.queue_arn]
  }

  statement {
    sid       = "ReadTheToken"
    actions   = ["ssm:GetParameter"]
    resources = [aws_ssm_parameter.token.arn]
  }
}

module "task" {
  source = "../../modules/task"

  name               = local.name
  service            = "api"
  image              = local.image
  repository_arn     = data.aws_ecr_repository.this.arn
  task_policy        = data.aws_iam_policy_document.task.json
  cpu                = var.cpu
  memory             = var.memory
  port               = local.cluster.api_port
  log_retention_days = var.log_retention_days

  # After the drain, the requests in hand.
  stop_timeout_seconds = local.stop_seconds

  environment = {
    AWS_REGION          = data.aws_region.current.name
    DRAIN_SECONDS       = local.drain_seconds
    KEEP_ALIVE_SECONDS  = local.cluster.idle_timeout_seconds + 15
    LOG_LEVEL           = var.log_level
    MESSAGE_MAX_BYTES   = local.messaging.max_message_size
    PORT                = local.cluster.api_port
    PROCESSES           = var.processes
    QUEUE_URL           = local.messaging.queue_url
    TOKEN_CACHE_SECONDS = var.token_cache_seconds
    TOKEN_PARAMETER     = aws_ssm_parameter.token.name
  }
}

resource "aws_ecs_service" "this" {
  count = local.image == null ? 0 : 1

  name            = local.name
  cluster         = local.cluster.cluster_arn
  task_definition = module.task.task_definition_arn
  desired_count   = local.cluster.api_tasks

  # Not one task fewer while it is deployed, and one more, which has the spare instance: ECS rounds the least up and the
  # most down. Without the spare one this would never end, since every port is taken; with less it would be an outage.
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = ceil(100 * (local.cluster.api_tasks + 1) / local.cluster.api_tasks)
  health_check_grace_period_seconds  = local.grace_seconds

  # ECS has no rebalancing of zones for a service behind a Classic Load Balancer.
  availability_zone_rebalancing = "DISABLED"

  enable_ecs_managed_tags = true
  propagate_tags          = "SERVICE"
  wait_for_steady_state   = var.wait_for_steady_state

  load_balancer {
    elb_name       = local.cluster.load_balancer_name
    container_name = "api"
    container_port = local.cluster.api_port
  }

  capacity_provider_strategy {
    capacity_provider = local.cluster.capacity_provider
    weight            = 1
  }

  ordered_placement_strategy {
    type  = "spread"
    field = "attribute:ecs.availability-zone"
  }

  # Counts tasks that do not start. AWS refused it behind a Classic ELB once, and no longer says whether it does.
  dynamic "deployment_circuit_breaker" {
    for_each = var.circuit_breaker ? [true] : []
    content {
      enable   = true
      rollback = true
    }
  }

  # Sees tasks that start and answer badly.
  alarms {
    enable      = true
    rollback    = true
    alarm_names = [aws_cloudwatch_metric_alarm.errors.alarm_name]
  }

  lifecycle {
    precondition {
      condition     = var.cpu <= local.cluster.room.cpu && var.memory <= local.cluster.room.memory
      error_message = "cpu and memory must leave half of an instance to a worker (at most ${local.cluster.room.cpu} CPU units, ${local.cluster.room.memory} MiB), or a deployment finds no room: choose a larger instance_type in the root cluster."
    }
  }
}
