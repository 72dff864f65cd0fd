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
  description = "Name of the environment, such as production. Environments of one account differ in it alone."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,9}[a-z0-9]$", var.environment))
    error_message = "environment must be 2 to 11 lower-case letters, digits and hyphens, and begin with a letter."
  }
}

variable "state_bucket" {
  description = "Bucket that holds the states of the environment's other roots: what bootstrap says."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.state_bucket))
    error_message = "state_bucket must be the name of an S3 bucket; bootstrap's output state_bucket says it."
  }
}

variable "emails" {
  description = "Addresses that hear of every alarm and of its end. Each gets a mail of AWS's first, and hears nothing before the link in it was followed."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for email in var.emails : can(regex("^[^@ ]+@[^@ ]+[.][^@ ]+$", email))])
    error_message = "emails must be addresses such as on-call@example.com."
  }
}

variable "latency_seconds" {
  description = "How long of 100 requests the slowest one may take before an alarm."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = var.latency_seconds > 0 && var.latency_seconds < 60
    error_message = "latency_seconds must be more than 0 and less than 60, when the load balancer gives up."
  }
}

variable "age_seconds" {
  description = "How old the oldest message may be before an alarm."
  type        = number
  default     = 300
  nullable    = false

  validation {
    condition     = var.age_seconds >= 120 && var.age_seconds <= 86400
    error_message = "age_seconds must be from 120, for a message of a killed worker waits a minute, to 86400."
  }
}
