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
  description = "Whether destroying the root takes along what it keeps: the states of all roots. Never in production."
  type        = bool
  default     = false
  nullable    = false
}
