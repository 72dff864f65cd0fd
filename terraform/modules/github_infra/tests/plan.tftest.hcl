mock_provider "aws" {
  source          = "../../mocks"
  override_during = plan
}

variables {
  name         = "emails-test"
  repository   = "someone/emails"
  provider_arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
  state_bucket = "emails-test-state"

  subjects = {
    plan  = "repo:someone@9919/emails@1042387461:environment:test-plan"
    infra = "repo:someone@9919/emails@1042387461:environment:test-infra"
  }
}

run "one_looks_and_one_does" {
  command = plan

  assert {
    condition     = join(" ", keys(module.role)) == "infra plan"
    error_message = "Each is for the jobs of one environment on GitHub."
  }

  assert {
    condition     = local.policies == { SecurityAudit = "plan", AdministratorAccess = "infra" }
    error_message = "Who plans looks, and who applies is an administrator."
  }

  assert {
    condition     = one(data.aws_iam_policy_document.plan.statement).resources == toset(["arn:aws:s3:::emails-test-state/*/terraform.tfstate"])
    error_message = "A plan reads the states of its environment."
  }
}

run "wrong_variables_are_refused" {
  command = plan

  variables {
    name                  = "A"
    repository            = "someone"
    provider_arn          = "github"
    state_bucket          = "A"
    plan_policy_documents = ["{}"]

    subjects = { plan = "repo:someone/*:environment:test", infra = "repo:someone/emails:ref:refs/heads/main" }
  }

  expect_failures = [var.name, var.repository, var.provider_arn, var.state_bucket, var.plan_policy_documents, var.subjects]
}
