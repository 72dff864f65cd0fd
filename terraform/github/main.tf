locals {
  name     = "${var.name}-${var.environment}"
  issuer   = "token.actions.githubusercontent.com"
  provider = one(concat(aws_iam_openid_connect_provider.github[*].arn, data.aws_iam_openid_connect_provider.github[*].arn))

  services = [for service in [data.terraform_remote_state.api, data.terraform_remote_state.worker] : service.outputs]
  cluster  = data.terraform_remote_state.cluster.outputs

  # A job outside of every environment says its branch, a job of an environment says that instead.
  environment_subject = "repo:${var.repository}:environment:${coalesce(var.github_environment, var.environment)}"

  subjects = merge({
    build  = "repo:${var.repository}:ref:refs/heads/${var.branch}"
    deploy = local.environment_subject
    }, var.apply_from_github ? {
    plan  = "${local.environment_subject}-plan"
    infra = "${local.environment_subject}-infra"
  } : {})
}

data "terraform_remote_state" "cluster" {
  backend = "s3"

  config = {
    bucket = var.state_bucket
    key    = "cluster/terraform.tfstate"
  }
}

data "terraform_remote_state" "api" {
  backend = "s3"

  config = {
    bucket = var.state_bucket
    key    = "services/api/terraform.tfstate"
  }
}

data "terraform_remote_state" "worker" {
  backend = "s3"

  config = {
    bucket = var.state_bucket
    key    = "services/worker/terraform.tfstate"
  }
}

resource "aws_iam_openid_connect_provider" "github" {
  count = var.create_provider ? 1 : 0

  url            = "https://${local.issuer}"
  client_id_list = ["sts.amazonaws.com"]
}

data "aws_iam_openid_connect_provider" "github" {
  count = var.create_provider ? 0 : 1

  url = "https://${local.issuer}"
}

data "aws_iam_policy_document" "trust" {
  for_each = local.subjects

  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = [local.provider]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:aud"
      values   = ["sts.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:sub"
      values   = [each.value]
    }
  }
}

resource "aws_iam_role" "this" {
  for_each = local.subjects

  name                 = "${local.name}-github-${each.key}"
  description          = "What a workflow of ${var.repository} may do to ${each.key}."
  assume_role_policy   = data.aws_iam_policy_document.trust[each.key].json
  max_session_duration = 3600
}

resource "aws_iam_role_policy" "this" {
  for_each = { build = data.aws_iam_policy_document.build.json, deploy = data.aws_iam_policy_document.deploy.json }

  name   = each.key
  role   = aws_iam_role.this[each.key].id
  policy = each.value
}
