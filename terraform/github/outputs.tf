output "build_role_arn" {
  description = "The role that a workflow takes to push images: `role-to-assume` on the branch."
  value       = aws_iam_role.this["build"].arn
}

output "deploy_role_arn" {
  description = "The role that a workflow takes to deploy: `role-to-assume` in the environment."
  value       = aws_iam_role.this["deploy"].arn
}

output "provider_arn" {
  description = "ARN of the identity provider."
  value       = local.provider
}
