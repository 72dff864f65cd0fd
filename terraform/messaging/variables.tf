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

variable "disposable" {
  description = "Whether destroying the root takes along what it keeps: the e-mails. Never in production."
  type        = bool
  default     = false
  nullable    = false
}

variable "visibility_timeout_seconds" {
  description = "For how long a message that a worker received is hidden from the others. The worker starts it anew while it works."
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = var.visibility_timeout_seconds >= 1 && var.visibility_timeout_seconds <= 43200
    error_message = "visibility_timeout_seconds must be from 1 to 43200: at 0 every receive would be a receive by all workers."
  }
}

variable "receive_wait_time_seconds" {
  description = "For how long a receive waits for a message: a long poll costs as much as a short one, and finds what is there."
  type        = number
  default     = 20
  nullable    = false

  validation {
    condition     = var.receive_wait_time_seconds >= 1 && var.receive_wait_time_seconds <= 20
    error_message = "receive_wait_time_seconds must be from 1 to 20: at 0 it is a short poll, which asks a part of the queue's servers only."
  }
}

variable "message_retention_seconds" {
  description = "For how long a message waits that no worker takes."
  type        = number
  default     = 345600
  nullable    = false

  validation {
    condition     = var.message_retention_seconds >= 3600 && var.message_retention_seconds <= 1209600
    error_message = "message_retention_seconds must be from 3600, an hour for those who are called, to 1209600, which is 14 days."
  }
}

variable "dead_letter_retention_seconds" {
  description = "For how long a dead letter waits. It keeps the time at which it first entered the queue, so this must be the longer."
  type        = number
  default     = 1209600
  nullable    = false

  validation {
    condition     = var.dead_letter_retention_seconds > var.message_retention_seconds && var.dead_letter_retention_seconds <= 1209600
    error_message = "dead_letter_retention_seconds must be more than message_retention_seconds, for a dead letter's age is counted from its first day, and at most 1209600."
  }
}

variable "max_receive_count" {
  description = "How often a message is received before it is a dead letter."
  type        = number
  default     = 5
  nullable    = false

  validation {
    condition     = var.max_receive_count >= 2 && var.max_receive_count <= 1000
    error_message = "max_receive_count must be from 2, since a killed worker uses up one, to 1000."
  }
}

variable "infrequent_access_days" {
  description = "After how many days an e-mail moves to cheaper storage that costs for reading; null for never."
  type        = number
  default     = 90

  validation {
    condition     = var.infrequent_access_days == null ? true : var.infrequent_access_days >= 30
    error_message = "infrequent_access_days must be 30 at least, the least that S3 takes, or null."
  }
}
