output "role_arns" {
  description = "ARNs of the roles, by what they are for: `plan` and `infra`."
  value       = { for purpose, role in module.role : purpose => role.arn }
}
