locals {
  name      = "${var.name}-${var.environment}-worker"
  cluster   = data.terraform_remote_state.cluster.outputs
  messaging = data.terraform_remote_state.messaging.outputs

  image = var.image_tag == "none" ? null : join(startswith(var.image_tag, "sha256:") ? "@" : ":", [data.aws_ecr_repository.this.repository_url, var.image_tag])

  # For what is in hand at SIGTERM; what is not stored by then comes again.
  stop_seconds = 25

  # At worst each waits for an instance of its own. Twice the time that it takes when all goes well.
  pull_seconds               = 60
  instance_seconds           = 180
  deployment_timeout_seconds = 2 * (var.max_tasks * (local.pull_seconds + local.stop_seconds + 30) + local.instance_seconds + local.alarm_seconds)
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
  name = "${var.name}/worker"
}

# What the code calls, and nothing more.
data "aws_iam_policy_document" "task" {
  statement {
    sid       = "Consume"
    actions   = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage"]
    resources = [local.messaging.queue_arn]
  }

  statement {
    sid       = "Store"
    actions   = ["s3:PutObject"]
    resources = ["${local.messaging.bucket_arn}/${var.prefix}*"]
  }
}

module "task" {
  source = "../../modules/task"

  name               = local.name
  service            = "worker"
  image              = local.image
  repository_arn     = data.aws_ecr_repository.this.arn
  task_policy        = data.aws_iam_policy_document.task.json
  cpu                = var.cpu
  memory             = var.memory
  tmpfs              = ["/tmp"]
  log_retention_days = var.log_retention_days

  stop_timeout_seconds = local.stop_seconds + 30

  environment = {
    AWS_REGION                 = data.aws_region.current.name
    BUCKET                     = local.messaging.bucket
    HEARTBEAT_FILE             = "/tmp/worker.heartbeat"
    LOG_LEVEL                  = var.log_level
    POLL_INTERVAL_SECONDS      = var.poll_interval_seconds
    PREFIX                     = var.prefix
    PROCESSES                  = var.processes
    QUEUE_URL                  = local.messaging.queue_url
    RECEIVE_WAIT_SECONDS       = local.messaging.receive_wait_time_seconds
    STOP_TIMEOUT_SECONDS       = local.stop_seconds
    VISIBILITY_TIMEOUT_SECONDS = local.messaging.visibility_timeout_seconds
  }
}

resource "aws_ecs_service" "this" {
  count = local.image == null ? 0 : 1

  name            = local.name
  cluster         = local.cluster.cluster_arn
  task_definition = module.task.task_definition_arn
  desired_count   = max(var.min_tasks, 1)

  # New ones beside the old ones: a queue loses nothing either way, but it would grow.
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200

  enable_ecs_managed_tags = true
  propagate_tags          = "SERVICE"
  wait_for_steady_state   = var.wait_for_steady_state

  capacity_provider_strategy {
    capacity_provider = local.cluster.capacity_provider
    weight            = 1
  }

  ordered_placement_strategy {
    type  = "spread"
    field = "attribute:ecs.availability-zone"
  }

  availability_zone_rebalancing = "ENABLED"

  # One worker to an instance, of which it takes at most half: so no worker has the room of the API's next task.
  placement_constraints {
    type = "distinctInstance"
  }

  alarms {
    enable      = true
    rollback    = true
    alarm_names = [aws_cloudwatch_metric_alarm.failed_puts.alarm_name]
  }

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  lifecycle {
    # The scaling below decides.
    ignore_changes = [desired_count]

    precondition {
      condition     = var.cpu <= local.cluster.room.cpu && var.memory <= local.cluster.room.memory
      error_message = "cpu and memory must be half of an instance at most (${local.cluster.room.cpu} CPU units, ${local.cluster.room.memory} MiB), for the other half is the API's: choose a larger instance_type in the root cluster."
    }

    precondition {
      condition     = var.max_tasks < local.cluster.instances_at_most
      error_message = "max_tasks must be less than the cluster has instances at most (${local.cluster.instances_at_most}), each of which takes one worker; a deployment starts the new one on an instance that has none. Raise additional_instances in the root cluster."
    }
  }
}
