mock_provider "aws" {
  source          = "../../mocks"
  override_during = plan
}

variables {
  name         = "emails-test-github-deploy"
  description  = "A test."
  provider_arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
  subject      = "repo:someone@9919/emails@1042387461:environment:test"
}

run "who_takes_the_role" {
  command = plan

  assert {
    condition = {
      for condition in one(data.aws_iam_policy_document.trust.statement).condition : condition.variable => [condition.test, one(condition.values)]
      } == {
      "token.actions.githubusercontent.com:aud" = ["StringEquals", "sts.amazonaws.com"]
      "token.actions.githubusercontent.com:sub" = ["StringEquals", "repo:someone@9919/emails@1042387461:environment:test"]
    }
    error_message = "Tokens for AWS of this subject alone, and nothing is a pattern."
  }

  assert {
    condition     = one(one(data.aws_iam_policy_document.trust.statement).principals).identifiers == toset([var.provider_arn]) && one(data.aws_iam_policy_document.trust.statement).actions == toset(["sts:AssumeRoleWithWebIdentity"])
    error_message = "On GitHub's word, and no other."
  }
}

run "wrong_variables_are_refused" {
  command = plan

  variables {
    name         = "A"
    description  = ""
    provider_arn = "github"
    subject      = "repo:someone/*:environment:test"

    session_seconds = 900
  }

  expect_failures = [var.name, var.description, var.provider_arn, var.subject, var.session_seconds]
}
