mock_provider "aws" {
  source          = "../../mocks"
  override_during = plan
}

override_data {
  target = data.terraform_remote_state.cluster
  values = {
    outputs = {
      api_port                = 8080
      api_tasks               = 2
      capacity_provider       = "emails-test"
      cluster_arn             = "arn:aws:ecs:eu-central-1:123456789012:cluster/emails-test"
      cluster_name            = "emails-test"
      idle_timeout_seconds    = 60
      load_balancer_name      = "emails-test-api"
      drain_seconds           = 60
      instances_at_most       = 5
      room                    = { cpu = 1024, memory = 896 }
      unhealthy_after_seconds = 13
      url                     = "http://balancer"
    }
  }
}

override_data {
  target = data.terraform_remote_state.messaging
  values = {
    outputs = {
      bucket                     = "emails-test-emails"
      bucket_arn                 = "arn:aws:s3:::emails-test-emails"
      max_message_size           = 262144
      queue_arn                  = "arn:aws:sqs:eu-central-1:123456789012:emails-test-emails"
      queue_name                 = "emails-test-emails"
      queue_url                  = "https://sqs.eu-central-1.amazonaws.com/123456789012/emails-test-emails"
      receive_wait_time_seconds  = 20
      visibility_timeout_seconds = 60
    }
  }
}

variables {
  environment  = "test"
  state_bucket = "emails-test-state"
  image_tag    = "1.2.3"
}

run "a_deployment_keeps_the_workers_at_work" {
  command = plan

  assert {
    condition     = aws_ecs_service.this[0].deployment_minimum_healthy_percent == 100 && aws_ecs_service.this[0].deployment_maximum_percent == 200
    error_message = "New workers come before old ones go."
  }

  assert {
    condition     = one(aws_ecs_service.this[0].deployment_circuit_breaker).enable && one(aws_ecs_service.this[0].deployment_circuit_breaker).rollback
    error_message = "A version that does not start is rolled back."
  }

  assert {
    condition     = length(aws_ecs_service.this[0].load_balancer) == 0
    error_message = "Nobody speaks to a worker."
  }
}

# One worker to an instance, and each service at most half of it: the API's spare task always finds its room.
run "workers_do_not_take_the_room_of_the_api" {
  command = plan

  assert {
    condition     = one(aws_ecs_service.this[0].placement_constraints).type == "distinctInstance"
    error_message = "No two workers share an instance."
  }

  assert {
    condition     = var.max_tasks + 1 <= 5
    error_message = "With all workers at work, a deployment finds an instance for the first new one."
  }

  assert {
    condition     = aws_ecs_service.this[0].availability_zone_rebalancing == "ENABLED"
    error_message = "Workers go back to where a zone has come back."
  }
}

run "a_worker_that_is_too_large_is_refused" {
  command = plan

  variables {
    cpu = 1536
  }

  expect_failures = [aws_ecs_service.this]
}

run "more_workers_than_instances_are_refused" {
  command = plan

  variables {
    max_tasks = 5
  }

  expect_failures = [aws_ecs_service.this]
}

run "a_version_that_stores_nothing_is_taken_back" {
  command = plan

  assert {
    condition     = one(aws_ecs_service.this[0].alarms).rollback && one(aws_ecs_service.this[0].alarms).alarm_names == toset(["emails-test-worker-failed-puts"])
    error_message = "By the alarm on what could not be stored."
  }

  assert {
    condition     = aws_cloudwatch_log_metric_filter.failed_puts.pattern == "{ $.message = \"PutObject failed\" }" && aws_cloudwatch_metric_alarm.failed_puts.metric_name == "FailedPuts"
    error_message = "Counted in the logs."
  }
}

run "scaled_by_the_backlog_of_each" {
  command = plan

  assert {
    condition     = aws_appautoscaling_target.this[0].min_capacity == 1 && aws_appautoscaling_target.this[0].max_capacity == 4 && aws_appautoscaling_target.this[0].resource_id == "service/emails-test/emails-test-worker"
    error_message = "From one worker to four, of this service."
  }

  assert {
    condition = {
      for metric in one(one(aws_appautoscaling_policy.backlog[0].target_tracking_scaling_policy_configuration).customized_metric_specification).metrics :
      metric.id => metric.return_data
    } == { backlog = true, running = false, visible = false }
    error_message = "The target is on the one metric that is worked out."
  }

  assert {
    condition = anytrue([
      for metric in one(one(aws_appautoscaling_policy.backlog[0].target_tracking_scaling_policy_configuration).customized_metric_specification).metrics :
      metric.id == "backlog" && metric.expression == "visible / IF(FILL(running, 0) > 0, running, 1)"
    ])
    error_message = "Messages that wait, for each worker that runs; nothing is divided by nought."
  }

  assert {
    condition     = length(aws_appautoscaling_policy.wake) == 0
    error_message = "Where one always runs, none need be woken."
  }
}

run "to_zero_and_back" {
  command = plan

  variables {
    min_tasks = 0
  }

  assert {
    condition     = aws_appautoscaling_target.this[0].min_capacity == 0
    error_message = "No worker runs while there is nothing to do."
  }

  assert {
    condition     = one(one(aws_appautoscaling_policy.wake[0].step_scaling_policy_configuration).step_adjustment).scaling_adjustment == 1 && aws_cloudwatch_metric_alarm.wake[0].threshold == 1
    error_message = "One message starts the first."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.wake[0].datapoints_to_alarm == 2 && aws_cloudwatch_metric_alarm.wake[0].evaluation_periods == 3
    error_message = "A metric that is late starts none."
  }
}

run "the_code_may_consume_and_store_below_its_prefix" {
  command = plan

  assert {
    condition = { for statement in data.aws_iam_policy_document.task.statement : statement.sid => statement.actions } == {
      Consume = toset(["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage"])
      Store   = toset(["s3:PutObject"])
    }
    error_message = "What the code calls, and nothing more."
  }

  assert {
    condition = { for statement in data.aws_iam_policy_document.task.statement : statement.sid => statement.resources } == {
      Consume = toset(["arn:aws:sqs:eu-central-1:123456789012:emails-test-emails"])
      Store   = toset(["arn:aws:s3:::emails-test-emails/emails/*"])
    }
    error_message = "On exactly this queue, and below this prefix."
  }
}

run "before_the_first_image" {
  command = plan

  variables {
    image_tag = "none"
  }

  assert {
    condition     = length(aws_ecs_service.this) == 0 && length(aws_appautoscaling_target.this) == 0 && output.repository_url != null
    error_message = "There is the repository to push to, and nothing yet to scale."
  }
}

run "wrong_variables_are_refused" {
  command = plan

  variables {
    name                  = "a"
    environment           = "1st"
    state_bucket          = "-"
    image_tag             = "repository:1.2.3"
    cpu                   = 0
    memory                = 128
    processes             = 0
    log_level             = "TRACE"
    log_retention_days    = 0
    prefix                = "emails"
    poll_interval_seconds = 60
    min_tasks             = -1
    backlog_per_task      = 0
  }

  expect_failures = [
    var.name,
    var.environment,
    var.state_bucket,
    var.image_tag,
    var.cpu,
    var.memory,
    var.processes,
    var.log_level,
    var.log_retention_days,
    var.prefix,
    var.poll_interval_seconds,
    var.min_tasks,
    var.backlog_per_task,
  ]
}

run "fewer_at_most_than_at_least_is_refused" {
  command = plan

  variables {
    min_tasks = 4
    max_tasks = 3
  }

  expect_failures = [var.max_tasks]
}
