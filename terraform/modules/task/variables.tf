variable "name" {
  description = "Family of the task definition; roles and log group are named after it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,52}$", var.name))
    error_message = "name must be 2 to 53 lower-case letters, digits and hyphens, for it becomes the name of a role."
  }
}

variable "service" {
  description = "The service: its name as a container, and as the package whose health check is run."
  type        = string
  nullable    = false

  validation {
    condition     = contains(["api", "worker"], var.service)
    error_message = "service must be api or worker."
  }
}

variable "image" {
  description = "The image with its tag or digest; null for no task definition yet."
  type        = string

  validation {
    condition     = var.image == null ? true : can(regex("[:@]", var.image)) && !endswith(var.image, ":latest")
    error_message = "image must say a version or a digest, and not latest, which is another image tomorrow."
  }
}

variable "repository_arn" {
  description = "ARN of the repository that has the image."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[a-z-]+:ecr:[^:]+:[^:]+:repository/", var.repository_arn))
    error_message = "repository_arn must be the ARN of a repository in ECR."
  }
}

variable "environment" {
  description = "The container's environment variables: the service's settings."
  type        = map(string)
  nullable    = false

  validation {
    condition     = alltrue([for name in keys(var.environment) : can(regex("^[A-Z][A-Z0-9_]*$", name))])
    error_message = "environment must have names of capital letters, digits and underscores."
  }
}

variable "task_policy" {
  description = "What the service's code may do, as a policy in JSON."
  type        = string
  nullable    = false

  validation {
    condition     = can(jsondecode(var.task_policy).Statement)
    error_message = "task_policy must be a policy as JSON, with a Statement."
  }
}

variable "cpu" {
  description = "CPU units that the container is sure of; 1024 are a core."
  type        = number
  nullable    = false

  validation {
    condition     = var.cpu >= 128 && var.cpu <= 10240
    error_message = "cpu must be from 128 to 10240."
  }
}

variable "memory" {
  description = "Memory of the container (MiB), reserved and at most."
  type        = number
  nullable    = false

  validation {
    condition     = var.memory >= 128 && var.memory <= 30720
    error_message = "memory must be from 128 to 30720."
  }
}

variable "stop_timeout_seconds" {
  description = "How long the container has from SIGTERM to SIGKILL."
  type        = number
  nullable    = false

  validation {
    condition     = var.stop_timeout_seconds >= 2 && var.stop_timeout_seconds <= 120
    error_message = "stop_timeout_seconds must be from 2 to 120."
  }
}

variable "port" {
  description = "Port that the container listens on, and the same port of the instance; null for none."
  type        = number
  default     = null

  validation {
    condition     = var.port == null ? true : var.port >= 1024 && var.port <= 32767
    error_message = "port must be from 1024 to 32767, below those that Docker gives out, or null."
  }
}

variable "tmpfs" {
  description = "Directories of a mebibyte in memory, the only places where the container can write."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for path in var.tmpfs : startswith(path, "/")])
    error_message = "tmpfs must be absolute paths."
  }
}

variable "log_retention_days" {
  description = "For how many days logs are kept."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827], var.log_retention_days)
    error_message = "log_retention_days must be a retention that CloudWatch Logs knows, such as 7, 30, 90 or 365."
  }
}
