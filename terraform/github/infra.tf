# Two roles for all roots, where workflows are to apply them: one that looks, one that does. Applying roles is being able
# to do everything, so the second is an administrator; its environment on GitHub is to ask for a person's approval.

locals {
  looking = ["SecurityAudit", "job-function/ViewOnlyAccess"]

  infra_policies = !var.apply_from_github ? {} : merge(
    { for policy in local.looking : policy => "plan" },
    { AdministratorAccess = "infra" },
  )
}

resource "aws_iam_role_policy_attachment" "infra" {
  for_each = local.infra_policies

  role       = module.role[each.value].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/${each.key}"
}

# What a plan reads beyond settings: the states, and the parameters that the roots name. No e-mail.
data "aws_iam_policy_document" "plan" {
  statement {
    sid       = "ReadStates"
    actions   = ["s3:GetObject"]
    resources = ["${local.state}/*/terraform.tfstate"]
  }

  statement {
    sid       = "ReadParameters"
    actions   = ["ssm:GetParameter", "ssm:GetParameters"]
    resources = [data.terraform_remote_state.api.outputs.token_parameter_arn, "arn:${local.partition}:ssm:${local.region}::parameter/aws/service/ecs/*"]
  }

  # In neither of the two policies of AWS, and read of every target of scaling.
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
