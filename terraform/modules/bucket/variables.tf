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

variable "noncurrent_version_days" {
  description = "After how many days a version goes that was replaced or deleted."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.noncurrent_version_days >= 1 && floor(var.noncurrent_version_days) == var.noncurrent_version_days
    error_message = "noncurrent_version_days must be a whole number of days, at least 1."
  }
}

variable "infrequent_access_days" {
  description = "After how many days an object moves to S3 Standard-IA; null for never."
  type        = number
  default     = null

  validation {
    condition     = var.infrequent_access_days == null ? true : var.infrequent_access_days >= 30
    error_message = "infrequent_access_days must be 30 at least, the least that S3 takes, or null."
  }
}

variable "expiration_days" {
  description = "After how many days an object goes; null for never."
  type        = number
  default     = null

  validation {
    condition     = var.expiration_days == null ? true : var.expiration_days >= 1
    error_message = "expiration_days must be 1 at least, or null."
  }
}
