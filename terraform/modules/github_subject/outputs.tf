output "repository" {
  description = "How the subject of every token of the repository begins; what follows says the branch or the environment."
  value       = "repo:${join("/", local.ids)}"
}
