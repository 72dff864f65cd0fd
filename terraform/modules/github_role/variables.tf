variable "name" {
  description = "Name of the role."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,62}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 64 lower-case letters, digits and hyphens."
  }
}

variable "description" {
  description = "What a workflow that takes the role may do."
  type        = string
  nullable    = false

  validation {
    condition     = length(var.description) > 0 && length(var.description) <= 1000
    error_message = "description must have 1 to 1000 characters, as IAM takes them."
  }
}

variable "provider_arn" {
  description = "ARN of GitHub's identity provider in the account."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[a-z-]+:iam::[0-9]{12}:oidc-provider/", var.provider_arn))
    error_message = "provider_arn must be the ARN of an OpenID Connect provider."
  }
}

variable "subject" {
  description = "The only subject whose token takes the role."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^repo:[^*?:]+:(ref:refs/heads/|environment:)[^*?]+$", var.subject))
    error_message = "subject must name one repository and one branch or environment, without wildcards."
  }
}

variable "session_seconds" {
  description = "How long credentials of the role may last: as long as a job that takes it may run."
  type        = number
  default     = 3600
  nullable    = false

  validation {
    condition     = var.session_seconds >= 3600 && var.session_seconds <= 43200
    error_message = "session_seconds must be from 3600 to 43200, as IAM takes them."
  }
}
