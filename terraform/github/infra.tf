# Where workflows are to apply all roots of the environment.

data "aws_iam_policy_document" "plan" {
  statement {
    sid       = "ReadParameters"
    actions   = ["ssm:GetParameter"]
    resources = [data.terraform_remote_state.api.outputs.token_parameter_arn, "arn:${local.partition}:ssm:${local.region}::parameter/aws/service/ecs/*"]
  }

  # Not in SecurityAudit, and read of every target of scaling.
  statement {
    sid       = "ReadTagsOfScaling"
    actions   = ["application-autoscaling:ListTagsForResource"]
    resources = [local.scalable_targets]
  }

  statement {
    sid       = "DrawTheTokenThatIsNotKept"
    actions   = ["secretsmanager:GetRandomPassword"]
    resources = ["*"]
  }
}

module "infra" {
  source = "../modules/github_infra"
  count  = var.apply_from_github ? 1 : 0

  name                  = "${var.name}-${var.environment}"
  repository            = var.repository
  provider_arn          = data.aws_iam_openid_connect_provider.github.arn
  subjects              = { plan = local.subjects.plan, infra = local.subjects.infra }
  state_bucket          = var.state_bucket
  plan_policy_documents = [data.aws_iam_policy_document.plan.json]
}
