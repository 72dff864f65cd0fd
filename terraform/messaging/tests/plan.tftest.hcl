mock_provider "aws" {
  source          = "../mocks"
  override_during = plan
}

variables {
  environment = "test"
}

run "queues" {
  command = plan

  assert {
    condition     = jsondecode(aws_sqs_queue.emails.redrive_policy) == { deadLetterTargetArn = aws_sqs_queue.dead_letters.arn, maxReceiveCount = 5 }
    error_message = "What cannot be stored becomes a dead letter."
  }

  assert {
    condition     = jsondecode(aws_sqs_queue.dead_letters.redrive_allow_policy) == { redrivePermission = "byQueue", sourceQueueArns = ["arn:aws:sqs:eu-central-1:123456789012:emails-test-emails"] }
    error_message = "Dead letters come from this queue alone."
  }

  assert {
    condition     = aws_sqs_queue.dead_letters.message_retention_seconds > aws_sqs_queue.emails.message_retention_seconds
    error_message = "A dead letter outlives the queue that it came from."
  }

  assert {
    condition     = aws_sqs_queue.emails.sqs_managed_sse_enabled && aws_sqs_queue.dead_letters.sqs_managed_sse_enabled
    error_message = "Both queues are encrypted."
  }

  assert {
    condition     = aws_sqs_queue.emails.receive_wait_time_seconds == 20 && output.receive_wait_time_seconds == 20
    error_message = "A receive that says nothing is a long poll."
  }

  assert {
    condition     = output.visibility_timeout_seconds == aws_sqs_queue.emails.visibility_timeout_seconds
    error_message = "The worker is told the queue's visibility timeout."
  }

  assert {
    condition = alltrue([
      for key, queue in local.queues : anytrue([
        for statement in data.aws_iam_policy_document.queue[key].statement :
        statement.effect == "Deny" && statement.actions == toset(["sqs:*"]) && statement.resources == toset([queue.arn])
        && one(statement.principals).identifiers == toset(["*"])
        && one(statement.condition).variable == "aws:SecureTransport" && one(statement.condition).values == tolist(["false"])
      ])
    ])
    error_message = "Whoever comes to a queue without TLS is refused."
  }

  assert {
    condition     = alltrue([for key, queue in { emails = aws_sqs_queue.emails, dead_letters = aws_sqs_queue.dead_letters } : queue.policy == data.aws_iam_policy_document.queue[key].json && queue.name == local.queues[key].name])
    error_message = "Both queues have their policy."
  }
}

run "wrong_variables_are_refused" {
  command = plan

  variables {
    name                       = "Emails"
    environment                = "with spaces"
    visibility_timeout_seconds = 0
    receive_wait_time_seconds  = 21
    message_retention_seconds  = 60
    max_receive_count          = 1
    infrequent_access_days     = 1
  }

  expect_failures = [
    var.name,
    var.environment,
    var.visibility_timeout_seconds,
    var.receive_wait_time_seconds,
    var.message_retention_seconds,
    var.max_receive_count,
    var.infrequent_access_days,
  ]
}

# They are judged against other variables, so those must be right.

run "a_dead_letter_that_would_not_outlive_its_queue_is_refused" {
  command = plan

  variables {
    message_retention_seconds = 1209600
  }

  expect_failures = [var.dead_letter_retention_seconds]
}
