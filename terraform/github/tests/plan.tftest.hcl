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
      repository_arn      = "arn:aws:ecr:eu-central-1:123456789012:repository/emails/api"
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
      bucket_arn     = "arn:aws:s3:::emails-test-emails"
      log_group_arn  = "arn:aws:logs:eu-central-1:123456789012:log-group:/ecs/emails-test-worker"
      prefix         = "emails/"
      repository_arn = "arn:aws:ecr:eu-central-1:123456789012:repository/emails/worker"
      role_arns      = ["arn:aws:iam::123456789012:role/worker-task", "arn:aws:iam::123456789012:role/worker-execution"]
      service_name   = "emails-test-worker"
    }
  }
}

variables {
  environment  = "test"
  state_bucket = "emails-test-state"
  repository   = "someone/emails"

  repository_ids = { owner = 9919, repository = 1042387461 }
}

run "who_takes_the_roles" {
  command = plan

  variables {
    apply_from_github = true
  }

  assert {
    condition = output.subjects == {
      deploy = "repo:someone@9919/emails@1042387461:environment:test"
      plan   = "repo:someone@9919/emails@1042387461:environment:test-plan"
      infra  = "repo:someone@9919/emails@1042387461:environment:test-infra"
    }
    error_message = "Each role is for the jobs of one environment of this very repository."
  }

  assert {
    condition     = aws_iam_role_policy.deploy.name == "deploy" && length(module.infra) == 1
    error_message = "Looking, deploying, and doing everything are three roles."
  }

  assert {
    condition     = contains(flatten([for statement in data.aws_iam_policy_document.plan.statement : tolist(statement.actions)]), "application-autoscaling:ListTagsForResource")
    error_message = "A plan reads the tags of scaling, which no policy of AWS's grants."
  }
}

run "unless_a_person_says_so_workflows_only_deploy" {
  command = plan

  assert {
    condition     = join(" ", keys(output.subjects)) == "deploy" && length(module.infra) == 0
    error_message = "No role that changes other roots."
  }
}

run "an_older_repository" {
  command = plan

  variables {
    repository_ids       = null
    subjects_without_ids = true
  }

  assert {
    condition     = output.subjects == { deploy = "repo:someone/emails:environment:test" }
    error_message = "Names alone, where a person has said so."
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
    condition = toset(flatten([
      for statement in data.aws_iam_policy_document.deploy.statement : tolist(statement.resources)
      if contains(statement.actions, "s3:DeleteObject") && !contains(statement.actions, "s3:PutObject")
    ])) == toset(["arn:aws:s3:::emails-test-emails/emails/*"])
    error_message = "Of e-mails it removes those below the workers' prefix."
  }

  assert {
    condition     = !contains(flatten([for statement in data.aws_iam_policy_document.deploy.statement : tolist(statement.actions)]), "ecs:DeregisterTaskDefinition")
    error_message = "The way back stays open."
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

run "an_environment_of_another_name_on_github" {
  command = plan

  variables {
    github_environment = "elsewhere"
  }

  assert {
    condition     = output.subjects.deploy == "repo:someone@9919/emails@1042387461:environment:elsewhere"
    error_message = "The environment on GitHub may have another name."
  }
}

run "without_the_numbers_nothing_is_trusted" {
  command = plan

  variables {
    repository_ids = null
  }

  expect_failures = [var.repository_ids]
}

run "wrong_variables_are_refused" {
  command = plan

  variables {
    name               = "a"
    environment        = "1st"
    state_bucket       = "-"
    repository         = "someone/*"
    github_environment = "*"
  }

  expect_failures = [
    var.name,
    var.environment,
    var.state_bucket,
    var.repository,
    var.github_environment,
  ]
}
