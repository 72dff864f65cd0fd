mock_provider "aws" {
  source          = "../../mocks"
  override_during = plan
}

# Mocked providers know no ephemeral resources. This one is not mocked, and with a given token never asked.
provider "aws" {
  alias                       = "generator"
  access_key                  = "none"
  secret_key                  = "none"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
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
  environment    = "test"
  state_bucket   = "emails-test-state"
  image_tag      = "1.2.3"
  generate_token = false
  token          = "a-token-of-20-letters"
}

run "a_rolling_deployment_has_room_for_one_task_more" {
  command = plan

  assert {
    condition     = aws_ecs_service.this[0].desired_count == 2
    error_message = "As many tasks as the cluster is sized for."
  }

  assert {
    condition     = aws_ecs_service.this[0].deployment_minimum_healthy_percent == 100
    error_message = "Not one task fewer."
  }

  assert {
    condition     = floor(aws_ecs_service.this[0].desired_count * aws_ecs_service.this[0].deployment_maximum_percent / 100) == 3
    error_message = "One task more, after ECS has rounded down."
  }

  assert {
    condition     = one(aws_ecs_service.this[0].alarms).rollback && length(aws_ecs_service.this[0].deployment_circuit_breaker) == 0
    error_message = "A version that answers badly is rolled back, and nothing that AWS may refuse is asked for."
  }

  assert {
    condition     = one(aws_ecs_service.this[0].alarms).alarm_names == toset([aws_cloudwatch_metric_alarm.errors.alarm_name])
    error_message = "By the alarm on its answers."
  }

  assert {
    condition     = one(aws_ecs_service.this[0].load_balancer).elb_name == "emails-test-api" && one(aws_ecs_service.this[0].load_balancer).container_port == 8080
    error_message = "The service is behind the Classic ELB."
  }

  assert {
    condition     = local.drain_seconds > local.cluster.unhealthy_after_seconds
    error_message = "The API answers for longer than the load balancer takes to turn away."
  }

  assert {
    condition     = aws_ecs_service.this[0].health_check_grace_period_seconds >= 30
    error_message = "A task that is starting is given time."
  }

  assert {
    condition     = aws_ecs_service.this[0].availability_zone_rebalancing == "DISABLED"
    error_message = "No task moves by itself to where there is no free port."
  }

  assert {
    condition     = output.deployment_timeout_seconds == 2 * (2 * (60 + 60 + 60 + 45) + 120)
    error_message = "The time that a deployment may take follows from what it does."
  }

  assert {
    condition     = one(aws_ecs_service.this[0].ordered_placement_strategy).field == "attribute:ecs.availability-zone"
    error_message = "Tasks are spread over the zones."
  }
}

# ECS rounds down: with 133 % of 3 tasks there would be no fourth, and a deployment would never begin.
run "whatever_the_number_of_tasks" {
  command = plan

  override_data {
    target = data.terraform_remote_state.cluster
    values = {
      outputs = {
        api_port                = 8080
        api_tasks               = 3
        capacity_provider       = "emails-test"
        cluster_arn             = "arn:aws:ecs:eu-central-1:123456789012:cluster/emails-test"
        cluster_name            = "emails-test"
        idle_timeout_seconds    = 60
        load_balancer_name      = "emails-test-api"
        drain_seconds           = 60
        room                    = { cpu = 1024, memory = 896 }
        unhealthy_after_seconds = 13
        url                     = "http://balancer"
      }
    }
  }

  assert {
    condition     = floor(3 * aws_ecs_service.this[0].deployment_maximum_percent / 100) == 4
    error_message = "One task more, after ECS has rounded down."
  }
}

run "with_a_circuit_breaker" {
  command = plan

  variables {
    circuit_breaker = true
  }

  assert {
    condition     = one(aws_ecs_service.this[0].deployment_circuit_breaker).enable && one(aws_ecs_service.this[0].deployment_circuit_breaker).rollback
    error_message = "ECS rolls back a version that does not start."
  }
}

run "a_task_that_leaves_no_room_is_refused" {
  command = plan

  variables {
    memory = 1024
  }

  expect_failures = [aws_ecs_service.this]
}

run "the_alarm_counts_the_load_balancers_own_errors" {
  command = plan

  assert {
    condition     = toset(flatten([for query in aws_cloudwatch_metric_alarm.errors.metric_query : query.metric[*].metric_name])) == toset(["HTTPCode_ELB_5XX", "HTTPCode_Backend_5XX", "RequestCount"])
    error_message = "No API at all is worse than a bad one."
  }
}

run "the_token_is_in_no_state" {
  command = plan

  assert {
    condition     = aws_ssm_parameter.token.type == "SecureString" && aws_ssm_parameter.token.value_wo == null
    error_message = "The token is encrypted, and Terraform does not keep it."
  }

  assert {
    condition     = aws_ssm_parameter.token.name == "/emails/test/api/token" && aws_ssm_parameter.token.value_wo_version == 1
    error_message = "The token has its name, and a number."
  }
}

run "the_code_may_publish_and_read_its_token" {
  command = plan

  assert {
    condition = { for statement in data.aws_iam_policy_document.task.statement : statement.sid => statement.actions } == {
      Publish      = toset(["sqs:GetQueueAttributes", "sqs:SendMessage"])
      ReadTheToken = toset(["ssm:GetParameter"])
    }
    error_message = "What the code calls, and nothing more."
  }

  assert {
    condition = { for statement in data.aws_iam_policy_document.task.statement : statement.sid => statement.resources } == {
      Publish      = toset(["arn:aws:sqs:eu-central-1:123456789012:emails-test-emails"])
      ReadTheToken = toset([aws_ssm_parameter.token.arn])
    }
    error_message = "On exactly this queue and this token."
  }
}

run "before_the_first_image" {
  command = plan

  variables {
    image_tag = "none"
  }

  assert {
    condition     = length(aws_ecs_service.this) == 0 && output.image == null && output.repository_url != null
    error_message = "There is the repository to push to, and no service yet."
  }
}

run "by_digest" {
  command = plan

  variables {
    image_tag = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  }

  assert {
    condition     = endswith(output.image, "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")
    error_message = "A digest names an image, too."
  }
}

run "wrong_variables_are_refused" {
  command = plan

  variables {
    name                = "a"
    environment         = "1st"
    state_bucket        = "-"
    image_tag           = "latest"
    cpu                 = 0
    memory              = 128
    processes           = 0
    log_level           = "TRACE"
    log_retention_days  = 0
    alarm_requests      = 0
    token               = "short"
    token_version       = 0
    token_cache_seconds = 0
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
    var.alarm_requests,
    var.token,
    var.token_version,
    var.token_cache_seconds,
  ]
}
