variable "name" {
  description = "Name of the bucket, unique in all of AWS."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 63 lower-case letters, digits and hyphens: a dot breaks TLS to the bucket."
  }
}

variable "disposable" {
  description = "Whether the bucket may be destroyed, with all that is in it. Otherwise a plan that would is refused."
  type        = bool
  default     = false
  nullable    = false
}

variable "policy_documents" {
  description = "Bucket policies, as JSON, that hold beside the one that asks for TLS."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for document in var.policy_documents : can(jsondecode(document).Statement)])
    error_message = "policy_documents must be policies as JSON, each with a Statement."
  }
}

variable "life_cycle" {
  description = "After how many days a version goes that was replaced or deleted, an object moves to Standard-IA, and an object goes, the latter two null for never. With null for all, whatever was there once is kept."
  type = object({
    noncurrent_version_days = number
    infrequent_access_days  = optional(number)
    expiration_days         = optional(number)
  })
  default = null

  validation {
    condition     = var.life_cycle == null ? true : var.life_cycle.noncurrent_version_days >= 1
    error_message = "life_cycle: noncurrent_version_days must be 1 at least."
  }

  validation {
    condition     = try(var.life_cycle.infrequent_access_days >= 30, true)
    error_message = "life_cycle: infrequent_access_days must be 30 at least, the least that S3 takes, or null."
  }

  validation {
    condition     = try(var.life_cycle.expiration_days >= 1, true)
    error_message = "life_cycle: expiration_days must be 1 at least, or null."
  }
}
