mock_provider "aws" {
  source          = "../../mocks"
  override_during = plan
}

variables {
  name                 = "emails-test-api"
  service              = "api"
  image                = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/emails-test/api:1.2.3"
  repository_arn       = "arn:aws:ecr:eu-central-1:123456789012:repository/emails-test/api"
  environment          = { QUEUE_URL = "https://sqs/emails", AWS_REGION = "eu-central-1" }
  task_policy          = "{\"Statement\":[]}"
  cpu                  = 256
  memory               = 512
  port                 = 8080
  stop_timeout_seconds = 45
}

run "a_confined_container" {
  command = plan

  assert {
    condition     = aws_ecs_task_definition.this[0].network_mode == "bridge"
    error_message = "The bridge, on which the port of the container is the instance's."
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this[0].container_definitions)[0].portMappings == [{ containerPort = 8080, hostPort = 8080, protocol = "tcp" }]
    error_message = "A static port: the same on the instance."
  }

  assert {
    condition = alltrue([
      for container in jsondecode(aws_ecs_task_definition.this[0].container_definitions) :
      container.readonlyRootFilesystem && !container.privileged && container.user == "10001:10001"
      && container.linuxParameters.capabilities.drop == ["ALL"] && !can(container.dockerSecurityOptions)
      && length(container.linuxParameters.tmpfs) == 0
    ])
    error_message = "No root, no capability, no place to write, and nothing that only some instances can do."
  }

  assert {
    condition     = aws_ecs_task_definition.this[0].skip_destroy
    error_message = "A rollback finds the revision before."
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this[0].container_definitions)[0].linuxParameters.initProcessEnabled
    error_message = "SIGTERM reaches a service that has not yet said what to do then."
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this[0].container_definitions)[0].healthCheck.command == ["CMD", "python", "-m", "services.api.health"]
    error_message = "ECS asks what the image's own health check asks; it ignores that one."
  }

  assert {
    condition     = [for variable in jsondecode(aws_ecs_task_definition.this[0].container_definitions)[0].environment : variable.name] == ["AWS_REGION", "QUEUE_URL"]
    error_message = "The settings, in an order that does not change."
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this[0].container_definitions)[0].logConfiguration.options["awslogs-group"] == aws_cloudwatch_log_group.this.name && aws_cloudwatch_log_group.this.retention_in_days == 30
    error_message = "Logs go into a group that forgets."
  }
}

run "roles" {
  command = plan

  assert {
    condition     = one(data.aws_iam_policy_document.trust.statement).actions == toset(["sts:AssumeRole"]) && one(one(data.aws_iam_policy_document.trust.statement).principals).identifiers == toset(["ecs-tasks.amazonaws.com"])
    error_message = "Tasks take the roles, and nobody else."
  }

  assert {
    condition = { for condition in one(data.aws_iam_policy_document.trust.statement).condition : condition.variable => one(condition.values) } == {
      "aws:SourceAccount" = "123456789012"
      "aws:SourceArn"     = "arn:aws:ecs:eu-central-1:123456789012:*"
    }
    error_message = "Tasks of this account and region."
  }

  assert {
    condition = { for statement in data.aws_iam_policy_document.execution.statement : statement.sid => statement.resources } == {
      LogInToEcr   = toset(["*"])
      PullTheImage = toset(["arn:aws:ecr:eu-central-1:123456789012:repository/emails-test/api"])
      WriteLogs    = toset(["arn:aws:logs:eu-central-1:123456789012:log-group:group:*"])
    }
    error_message = "ECS may start this task: pull its image, write its logs."
  }

  assert {
    condition     = aws_iam_role_policy.task.policy == var.task_policy
    error_message = "The code may do what it was given."
  }
}

run "before_the_first_image" {
  command = plan

  variables {
    image = null
  }

  assert {
    condition     = length(aws_ecs_task_definition.this) == 0 && output.task_definition_arn == null
    error_message = "Without an image there is no task definition."
  }
}

run "wrong_variables_are_refused" {
  command = plan

  variables {
    name                 = "x"
    service              = "mail"
    image                = "repository:latest"
    repository_arn       = "repository"
    environment          = { "queue-url" = "" }
    task_policy          = "{}"
    cpu                  = 1
    memory               = 1
    stop_timeout_seconds = 121
    port                 = 80
    tmpfs                = ["tmp"]
    log_retention_days   = 2
  }

  expect_failures = [
    var.name,
    var.service,
    var.image,
    var.repository_arn,
    var.environment,
    var.task_policy,
    var.cpu,
    var.memory,
    var.stop_timeout_seconds,
    var.port,
    var.tmpfs,
    var.log_retention_days,
  ]
}
