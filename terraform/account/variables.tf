variable "name" {
  description = "Name of the system. The names of all resources begin with it."
  type        = string
  default     = "emails"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,14}[a-z0-9]$", var.name)) && !can(regex("^(aws|ecs|fargate|sthree)", var.name))
    error_message = "name must be 3 to 16 lower-case letters, digits and hyphens, begin with a letter, and not with aws, ecs, fargate or sthree, which AWS keeps for itself."
  }
}

variable "environment" {
  description = "Name of the environment that has the state of what is one for the account, such as shared."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,9}[a-z0-9]$", var.environment))
    error_message = "environment must be 2 to 11 lower-case letters, digits and hyphens, and begin with a letter."
  }
}

variable "state_bucket" {
  description = "Bucket that holds this root's state: what bootstrap says."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.state_bucket))
    error_message = "state_bucket must be the name of an S3 bucket; bootstrap's output state_bucket says it."
  }
}

variable "disposable" {
  description = "Whether the repositories may be destroyed while there are images in them. Never where one of them runs."
  type        = bool
  default     = false
  nullable    = false
}

variable "kept_images" {
  description = "How many images that were never deployed are kept in each repository."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.kept_images >= 2 && floor(var.kept_images) == var.kept_images
    error_message = "kept_images must be a whole number, 2 at least."
  }
}

variable "repository" {
  description = "The repository on GitHub whose workflows take the roles, as owner/name."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$", var.repository))
    error_message = "repository must be owner/name, and neither may be a wildcard."
  }
}

variable "repository_ids" {
  description = "The numbers that GitHub has for the repository and its owner, which are in the subjects of its tokens: what `gh api repos/OWNER/NAME --jq '{owner: .owner.id, repository: .id}'` prints."
  type        = object({ owner = number, repository = number })
  default     = null

  validation {
    condition     = (var.repository_ids == null) == var.subjects_without_ids
    error_message = "repository_ids must be given: `gh api repos/OWNER/NAME --jq '{owner: .owner.id, repository: .id}'` prints them. Only a repository from before 15 July 2026 that was neither renamed nor transferred since may have subjects_without_ids = true instead."
  }
}

variable "subjects_without_ids" {
  description = "Whether GitHub leaves the numbers out: so it does for repositories from before 15 July 2026 that were neither renamed nor transferred since and have not opted in."
  type        = bool
  default     = false
  nullable    = false
}

variable "branch" {
  description = "The branch whose workflows may push images."
  type        = string
  default     = "main"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9._/-]*$", var.branch))
    error_message = "branch must be the name of one branch, without wildcards."
  }
}

variable "create_provider" {
  description = "Whether this root makes GitHub's identity provider. False where the account has it already, from another system: there can be but one."
  type        = bool
  default     = true
  nullable    = false
}

variable "apply_from_github" {
  description = "Whether workflows plan and apply this root, rather than a person. Whoever approves for the environment `...-infra` on GitHub may then do everything in the account."
  type        = bool
  default     = false
  nullable    = false
}
