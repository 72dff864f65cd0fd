module "github" {
  source = "../modules/github_subject"

  repository     = var.repository
  repository_ids = var.repository_ids
}

locals {
  # A job outside of every environment says its branch.
  subjects = { build = "${module.github.repository}:ref:refs/heads/${var.branch}" }
}

output "subjects" {
  description = "Whose tokens take each role: the subject that GitHub writes into them."
  value       = local.subjects
}
