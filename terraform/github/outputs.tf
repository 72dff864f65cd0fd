output "deploy_role_arn" {
  description = "The role that a workflow takes to deploy: `role-to-assume` in the environment."
  value       = module.role.arn
}
