# Who is told, and of what. What takes a deployment back is beside its service; people hear of that here, too.

locals {
  name      = "${var.name}-${var.environment}"
  cluster   = data.terraform_remote_state.this["cluster"].outputs
  messaging = data.terraform_remote_state.this["messaging"].outputs
  api       = data.terraform_remote_state.this["services/api"].outputs
  worker    = data.terraform_remote_state.this["services/worker"].outputs
}

data "aws_region" "current" {}

data "aws_caller_identity" "current" {}

data "terraform_remote_state" "this" {
  for_each = toset(["cluster", "messaging", "services/api", "services/worker"])
  backend  = "s3"

  config = {
    bucket = var.state_bucket
    key    = "${each.value}/terraform.tfstate"
  }
}

# Names of alarms, and no secret: AWS's own key for SNS would keep CloudWatch from publishing.
#trivy:ignore:AVD-AWS-0095
resource "aws_sns_topic" "alarms" {
  name = "${local.name}-alarms"
}

resource "aws_sns_topic_subscription" "email" {
  for_each = var.emails

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = each.value
}

data "aws_iam_policy_document" "topic" {
  statement {
    sid       = "AlarmsAndEventsOfThisAccount"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.alarms.arn]

    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com", "events.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

resource "aws_sns_topic_policy" "alarms" {
  arn    = aws_sns_topic.alarms.arn
  policy = data.aws_iam_policy_document.topic.json
}

# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service_deployment_events.html
resource "aws_cloudwatch_event_rule" "deployment_failed" {
  name        = "${local.name}-deployment-failed"
  description = "ECS gave a deployment up."

  event_pattern = jsonencode({
    source      = ["aws.ecs"]
    detail-type = ["ECS Deployment State Change"]
    detail      = { eventName = ["SERVICE_DEPLOYMENT_FAILED"] }
    resources   = [{ prefix = "${replace(local.cluster.cluster_arn, ":cluster/", ":service/")}/" }]
  })
}

resource "aws_cloudwatch_event_target" "deployment_failed" {
  rule = aws_cloudwatch_event_rule.deployment_failed.name
  arn  = aws_sns_topic.alarms.arn
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = local.name

  dashboard_body = templatefile("${path.module}/dashboard.json.tftpl", {
    api               = local.api.service_name
    bucket            = local.messaging.bucket
    capacity_provider = local.cluster.capacity_provider
    cluster           = local.cluster.cluster_name
    dead_letters      = local.messaging.dead_letter_queue_name
    load_balancer     = local.cluster.load_balancer_name
    namespace         = local.name
    queue             = local.messaging.queue_name
    region            = data.aws_region.current.name
    worker            = local.worker.service_name
  })
}
