variable "repository" {
  description = "The repository on GitHub, as owner/name."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$", var.repository))
    error_message = "repository must be owner/name, and neither may be a wildcard."
  }
}

variable "repository_ids" {
  description = "The numbers that GitHub has for the owner and the repository; null for a repository whose subjects have none."
  type        = object({ owner = number, repository = number })

  validation {
    condition     = var.repository_ids == null ? true : alltrue([for id in values(var.repository_ids) : id > 0 && floor(id) == id])
    error_message = "repository_ids must be the two numbers that `gh api repos/OWNER/NAME --jq '{owner: .owner.id, repository: .id}'` prints."
  }
}
