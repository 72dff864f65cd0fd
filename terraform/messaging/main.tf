locals {
  name   = "${var.name}-${var.environment}"
  queues = { emails = aws_sqs_queue.emails, dead_letters = aws_sqs_queue.dead_letters }
}

data "aws_caller_identity" "current" {}

resource "aws_sqs_queue" "emails" {
  name                       = "${local.name}-emails"
  visibility_timeout_seconds = var.visibility_timeout_seconds
  message_retention_seconds  = var.message_retention_seconds
  receive_wait_time_seconds  = var.receive_wait_time_seconds
  sqs_managed_sse_enabled    = true

  # The most that this version of the provider takes; SQS itself would take four times as much.
  max_message_size = 262144

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters.arn
    maxReceiveCount     = var.max_receive_count
  })
}

resource "aws_sqs_queue" "dead_letters" {
  name                      = "${local.name}-emails-dead-letters"
  message_retention_seconds = var.dead_letter_retention_seconds
  receive_wait_time_seconds = var.receive_wait_time_seconds
  sqs_managed_sse_enabled   = true
}

resource "aws_sqs_queue_redrive_allow_policy" "dead_letters" {
  queue_url = aws_sqs_queue.dead_letters.id

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.emails.arn]
  })
}

data "aws_iam_policy_document" "queue" {
  for_each = local.queues

  statement {
    sid       = "TlsOnly"
    effect    = "Deny"
    actions   = ["sqs:*"]
    resources = [each.value.arn]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_sqs_queue_policy" "this" {
  for_each = local.queues

  queue_url = each.value.id
  policy    = data.aws_iam_policy_document.queue[each.key].json
}

module "emails" {
  source = "../modules/bucket"

  # The account makes it unique: bucket names are shared with all the world.
  name                   = "${local.name}-emails-${data.aws_caller_identity.current.account_id}"
  disposable             = var.disposable
  infrequent_access_days = var.infrequent_access_days
}

resource "aws_cloudwatch_metric_alarm" "age" {
  alarm_name        = "${local.name}-oldest-message"
  alarm_description = "The oldest message waits for more than ${var.alarm_age_seconds} s: the workers do not keep up, or store nothing."

  namespace   = "AWS/SQS"
  metric_name = "ApproximateAgeOfOldestMessage"
  dimensions  = { QueueName = aws_sqs_queue.emails.name }
  statistic   = "Maximum"
  period      = 60

  comparison_operator = "GreaterThanThreshold"
  threshold           = var.alarm_age_seconds
  evaluation_periods  = 2
  treat_missing_data  = "notBreaching"

  alarm_actions = var.alarm_actions
  ok_actions    = var.alarm_actions
}

resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  alarm_name        = "${local.name}-dead-letters"
  alarm_description = "A message could not be stored and is in the dead-letter queue, where it waits for somebody to look."

  namespace   = "AWS/SQS"
  metric_name = "ApproximateNumberOfMessagesVisible"
  dimensions  = { QueueName = aws_sqs_queue.dead_letters.name }
  statistic   = "Maximum"
  period      = 60

  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"

  alarm_actions = var.alarm_actions
  ok_actions    = var.alarm_actions
}
