variable "name" {
  description = "How the names of the roles begin."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,48}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 50 lower-case letters, digits and hyphens."
  }
}

variable "repository" {
  description = "The repository on GitHub whose workflows take the roles, for people to read."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$", var.repository))
    error_message = "repository must be owner/name."
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

variable "subjects" {
  description = "The only subject whose token takes each role."
  type        = object({ plan = string, infra = string })
  nullable    = false

  validation {
    condition     = alltrue([for subject in values(var.subjects) : can(regex("^repo:[^*?:]+:environment:[^*?]+$", subject))])
    error_message = "subjects must each name one repository and one environment, without wildcards."
  }
}

variable "state_bucket" {
  description = "Bucket of the states that a plan reads."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.state_bucket))
    error_message = "state_bucket must be the name of an S3 bucket."
  }
}

variable "plan_policy_documents" {
  description = "What a plan may read besides, as policies in JSON."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for document in var.plan_policy_documents : can(jsondecode(document).Statement)])
    error_message = "plan_policy_documents must be policies as JSON, each with a Statement."
  }
}
