module "github" {
  source = "../modules/github_subject"

  repository     = var.repository
  repository_ids = var.repository_ids
}

locals {
  # A job of an environment says it instead of its branch.
  environment = "${module.github.repository}:environment:${var.environment}"

  subjects = merge(
    { build = "${module.github.repository}:ref:refs/heads/${var.branch}" },
    var.apply_from_github ? { plan = "${local.environment}-plan", infra = "${local.environment}-infra" } : {},
  )
}

output "subjects" {
  description = "Whose tokens take each role: the subject that GitHub writes into them."
  value       = local.subjects
}
