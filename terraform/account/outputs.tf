output "repository_urls" {
  description = "Where the images of each service are pushed."
  value       = { for service, repository in module.repository : service => repository.url }
}

output "build_role_arn" {
  description = "The role that a workflow takes to push images: `role-to-assume` on the branch."
  value       = module.build.arn
}

output "provider_arn" {
  description = "ARN of GitHub's identity provider."
  value       = local.provider
}
