mock_provider "aws" {
  source          = "../mocks"
  override_during = plan
}

override_data {
  target = data.terraform_remote_state.cluster
  values = {
    outputs = {
      cluster_arn  = "arn:aws:ecs:eu-central-1:123456789012:cluster/emails-test"
      cluster_name = "emails-test"
    }
  }
}

override_data {
  target = data.terraform_remote_state.api
  values = {
    outputs = {
      log_group_arn       = "arn:aws:logs:eu-central-1:123456789012:log-group:/ecs/emails-test-api"
      repository_arn      = "arn:aws:ecr:eu-central-1:123456789012:repository/emails-test/api"
      role_arns           = ["arn:aws:iam::123456789012:role/api-task", "arn:aws:iam::123456789012:role/api-execution"]
      service_name        = "emails-test-api"
      token_parameter_arn = "arn:aws:ssm:eu-central-1:123456789012:parameter/emails/test/api/token"
    }
  }
}

override_data {
  target = data.terraform_remote_state.worker
  values = {
    outputs = {
      log_group_arn  = "arn:aws:logs:eu-central-1:123456789012:log-group:/ecs/emails-test-worker"
      repository_arn = "arn:aws:ecr:eu-central-1:123456789012:repository/emails-test/worker"
      role_arns      = ["arn:aws:iam::123456789012:role/worker-task", "arn:aws:iam::123456789012:role/worker-execution"]
      service_name   = "emails-test-worker"
    }
  }
}

variables {
  environment  = "test"
  state_bucket = "emails-test-state"
  repository   = "someone/emails"
}

run "who_takes_the_roles" {
  command = plan

  assert {
    condition = {
      for role, document in data.aws_iam_policy_document.trust : role => {
        for condition in one(document.statement).condition : condition.variable => [condition.test, one(condition.values)]
      }
      } == {
      build = {
        "token.actions.githubusercontent.com:aud" = ["StringEquals", "sts.amazonaws.com"]
        "token.actions.githubusercontent.com:sub" = ["StringEquals", "repo:someone/emails:ref:refs/heads/main"]
      }
      deploy = {
        "token.actions.githubusercontent.com:aud" = ["StringEquals", "sts.amazonaws.com"]
        "token.actions.githubusercontent.com:sub" = ["StringEquals", "repo:someone/emails:environment:test"]
      }
    }
    error_message = "The branch builds, the environment deploys, of this repository alone, and nothing is a pattern."
  }

  assert {
    condition = alltrue([
      for document in data.aws_iam_policy_document.trust : one(one(document.statement).principals).identifiers == toset([aws_iam_openid_connect_provider.github[0].arn])
      && one(document.statement).actions == toset(["sts:AssumeRoleWithWebIdentity"])
    ])
    error_message = "On GitHub's word, and no other."
  }

  assert {
    condition     = aws_iam_openid_connect_provider.github[0].url == "https://token.actions.githubusercontent.com"
    error_message = "GitHub's own issuer."
  }
}

run "build_pushes_into_the_two_repositories" {
  command = plan

  assert {
    condition = { for statement in data.aws_iam_policy_document.build.statement : statement.sid => statement.resources } == {
      LogInToEcr = toset(["*"])
      PushImages = toset(["arn:aws:ecr:eu-central-1:123456789012:repository/emails-test/api", "arn:aws:ecr:eu-central-1:123456789012:repository/emails-test/worker"])
    }
    error_message = "Images go into these two repositories."
  }

  assert {
    condition     = !anytrue([for action in flatten([for statement in data.aws_iam_policy_document.build.statement : tolist(statement.actions)]) : strcontains(action, "Delete") || strcontains(action, "*")])
    error_message = "What builds takes nothing away."
  }
}

run "deploy_reaches_the_services_and_nothing_else" {
  command = plan

  assert {
    condition     = !anytrue([for action in flatten([for statement in data.aws_iam_policy_document.deploy.statement : tolist(statement.actions)]) : strcontains(action, "*")])
    error_message = "Every action is named."
  }

  # Whoever writes a role that he can pass may do everything.
  assert {
    condition = length(setsubtract([for action in flatten([for statement in data.aws_iam_policy_document.deploy.statement : tolist(statement.actions)]) : action if startswith(action, "iam:")], [
      "iam:CreateServiceLinkedRole",
      "iam:GetRole",
      "iam:GetRolePolicy",
      "iam:ListAttachedRolePolicies",
      "iam:ListRolePolicies",
      "iam:PassRole",
    ])) == 0
    error_message = "Roles are read and passed, not written."
  }

  assert {
    condition = alltrue([
      for statement in data.aws_iam_policy_document.deploy.statement :
      one(statement.condition).values == tolist(["ecs-tasks.amazonaws.com"]) && length(statement.resources) == 4 && !contains(statement.resources, "*")
      if contains(statement.actions, "iam:PassRole")
    ])
    error_message = "The services' four roles are passed, to tasks of ECS."
  }

  assert {
    condition = toset(flatten([
      for statement in data.aws_iam_policy_document.deploy.statement : tolist(statement.resources)
      if contains(statement.actions, "s3:PutObject")
      ])) == toset([
      "arn:aws:s3:::emails-test-state/deployment.json",
      "arn:aws:s3:::emails-test-state/services/api/terraform.tfstate",
      "arn:aws:s3:::emails-test-state/services/api/terraform.tfstate.tflock",
      "arn:aws:s3:::emails-test-state/services/worker/terraform.tfstate",
      "arn:aws:s3:::emails-test-state/services/worker/terraform.tfstate.tflock",
    ])
    error_message = "It writes the states of the services and its own lock, and of no other root."
  }

  assert {
    condition = alltrue([
      for statement in data.aws_iam_policy_document.deploy.statement :
      statement.resources == toset(["arn:aws:ecs:eu-central-1:123456789012:service/emails-test/emails-test-api", "arn:aws:ecs:eu-central-1:123456789012:service/emails-test/emails-test-worker"])
      if contains(statement.actions, "ecs:UpdateService")
    ])
    error_message = "It updates the two services."
  }
}

run "another_environment_of_the_account" {
  command = plan

  variables {
    create_provider    = false
    github_environment = "elsewhere"
  }

  assert {
    condition     = length(aws_iam_openid_connect_provider.github) == 0 && output.provider_arn == "arn:aws:iam::123456789012:oidc-provider/an-earlier-one"
    error_message = "The account's provider is found, not made again."
  }

  assert {
    condition     = local.subjects.deploy == "repo:someone/emails:environment:elsewhere"
    error_message = "The environment on GitHub may have another name."
  }
}

run "wrong_variables_are_refused" {
  command = plan

  variables {
    name               = "a"
    environment        = "1st"
    state_bucket       = "-"
    repository         = "someone/*"
    branch             = "*"
    github_environment = "*"
  }

  expect_failures = [
    var.name,
    var.environment,
    var.state_bucket,
    var.repository,
    var.branch,
    var.github_environment,
  ]
}
