# https://docs.github.com/en/actions/reference/security/oidc#immutable-subject-claims
locals {
  parts = split("/", var.repository)
  ids   = var.repository_ids == null ? local.parts : [for index, id in [var.repository_ids.owner, var.repository_ids.repository] : format("%s@%d", local.parts[index], id)]
}
