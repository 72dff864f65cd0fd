# Two roles for an environment whose roots workflows apply: one that looks, one that does. Applying roles is being able to do
# everything, so the second is an administrator; its environment on GitHub is to ask for a person's approval.

locals {
  policies = { SecurityAudit = "plan", AdministratorAccess = "infra" }
}

data "aws_partition" "current" {}

module "role" {
  source   = "../github_role"
  for_each = var.subjects

  name         = "${var.name}-github-${each.key}"
  description  = "What a workflow of ${var.repository} may do to ${each.key == "plan" ? "plan" : "apply"} roots."
  provider_arn = var.provider_arn
  subject      = each.value

  session_seconds = 7200
}

resource "aws_iam_role_policy_attachment" "this" {
  # Unused locally (AdministratorAccess): tests apply roots as the account's root user.
  for_each = local.policies

  role       = module.role[each.value].name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/${each.key}"
}

# What a plan reads beyond settings: the states, and what its environment names. No e-mail.
data "aws_iam_policy_document" "plan" {
  source_policy_documents = var.plan_policy_documents

  statement {
    sid       = "ReadStates"
    actions   = ["s3:GetObject"]
    resources = ["arn:${data.aws_partition.current.partition}:s3:::${var.state_bucket}/*/terraform.tfstate"]
  }
}

resource "aws_iam_role_policy" "plan" {
  name   = "plan"
  role   = module.role["plan"].name
  policy = data.aws_iam_policy_document.plan.json
}
