locals {
  name = "${var.name}-${var.environment}"

  # By their names rather than from the resources: each queue has what the other must be told.
  queues = { for key, name in { emails = "${local.name}-emails", dead_letters = "${local.name}-emails-dead-letters" } : key => {
    name = name
    arn  = "arn:${data.aws_partition.current.partition}:sqs:${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}:${name}"
  } }
}

data "aws_partition" "current" {}

data "aws_region" "current" {}

data "aws_caller_identity" "current" {}

# Policies are written with the queue, not beside it: for each call that changes a queue, the provider waits 25 s.
resource "aws_sqs_queue" "emails" {
  name                       = local.queues.emails.name
  policy                     = data.aws_iam_policy_document.queue["emails"].json
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
  name                      = local.queues.dead_letters.name
  policy                    = data.aws_iam_policy_document.queue["dead_letters"].json
  message_retention_seconds = var.dead_letter_retention_seconds
  receive_wait_time_seconds = var.receive_wait_time_seconds
  sqs_managed_sse_enabled   = true

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [local.queues.emails.arn]
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

module "emails" {
  source = "../modules/bucket"

  # The account makes it unique: bucket names are shared with all the world.
  name       = "${local.name}-emails-${data.aws_caller_identity.current.account_id}"
  disposable = var.disposable

  # A redelivered e-mail is written again, byte for byte: the version that it replaced is not worth keeping for long.
  life_cycle = { noncurrent_version_days = 30, infrequent_access_days = var.infrequent_access_days }
}
