mock_provider "aws" {
  source          = "../mocks"
  override_during = plan
}

variables {
  environment    = "shared"
  state_bucket   = "emails-shared-state"
  repository     = "someone/emails"
  repository_ids = { owner = 9919, repository = 1042387461 }
}

run "a_repository_for_each_service" {
  command = plan

  assert {
    condition     = join(" ", keys(output.repository_urls)) == "api worker"
    error_message = "One for each service, and for all environments."
  }
}

run "build_pushes_and_takes_nothing_away" {
  command = plan

  assert {
    condition     = output.subjects == { build = "repo:someone@9919/emails@1042387461:ref:refs/heads/main" }
    error_message = "Jobs of the branch publish."
  }

  assert {
    condition     = { for statement in data.aws_iam_policy_document.build.statement : statement.sid => statement.resources } == { FindTheNewestAmi = toset(["arn:aws:ssm:*::parameter/aws/service/ecs/optimized-ami/*"]), LogInToEcr = toset(["*"]), PushImages = toset(["arn:aws:ecr:eu-central-1:123456789012:repository/repository"]) }
    error_message = "Images go into these repositories, and of parameters it reads AWS's own."
  }

  assert {
    condition     = !anytrue([for action in flatten([for statement in data.aws_iam_policy_document.build.statement : tolist(statement.actions)]) : strcontains(action, "Delete") || strcontains(action, "*")])
    error_message = "What builds takes nothing away."
  }
}

run "workflows_that_apply_this_root" {
  command = plan

  variables {
    apply_from_github = true
  }

  assert {
    condition = length(module.infra) == 1 && output.subjects == {
      build = "repo:someone@9919/emails@1042387461:ref:refs/heads/main"
      plan  = "repo:someone@9919/emails@1042387461:environment:shared-plan"
      infra = "repo:someone@9919/emails@1042387461:environment:shared-infra"
    }
    error_message = "Whoever plans and whoever applies are jobs of environments of their own."
  }
}

run "githubs_provider" {
  command = plan

  assert {
    condition     = aws_iam_openid_connect_provider.github[0].url == "https://token.actions.githubusercontent.com" && one(aws_iam_openid_connect_provider.github[0].client_id_list) == "sts.amazonaws.com"
    error_message = "GitHub's own issuer, for tokens that are meant for AWS."
  }
}

run "where_another_system_has_made_it" {
  command = plan

  variables {
    create_provider      = false
    repository_ids       = null
    subjects_without_ids = true
  }

  assert {
    condition     = length(aws_iam_openid_connect_provider.github) == 0 && output.provider_arn == "arn:aws:iam::123456789012:oidc-provider/an-earlier-one"
    error_message = "The account's provider is found, not made again."
  }

  assert {
    condition     = output.subjects == { build = "repo:someone/emails:ref:refs/heads/main" }
    error_message = "Names alone, where a person has said so."
  }
}

run "wrong_variables_are_refused" {
  command = plan

  variables {
    name           = "a"
    state_bucket   = "A"
    environment    = "1st"
    repository     = "someone/*"
    repository_ids = null
    branch         = "*"
    kept_images    = 1
  }

  expect_failures = [
    var.name,
    var.environment,
    var.state_bucket,
    var.repository,
    var.repository_ids,
    var.branch,
    var.kept_images,
  ]
}
