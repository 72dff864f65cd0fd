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

variable "image_tag" {
  description = "Which image runs: a version, or a digest `sha256:...`. With `none` there is everything but task definition and service. It has no default, so that forgetting it takes no service away."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^(sha256:[0-9a-f]{64}|[A-Za-z0-9_][A-Za-z0-9._-]{0,127})$", var.image_tag)) && var.image_tag != "latest"
    error_message = "image_tag must be a version such as 1.2.3, a digest sha256:..., or none; and not latest, which is another image tomorrow."
  }
}

variable "wait_for_steady_state" {
  description = "Whether an apply returns only when the deployment has ended."
  type        = bool
  default     = false
  nullable    = false
}

variable "cpu" {
  description = "CPU units that a task is sure of; 1024 are a core."
  type        = number
  default     = 512
  nullable    = false

  validation {
    condition     = var.cpu >= 128 && var.cpu <= 10240
    error_message = "cpu must be from 128 to 10240."
  }
}

variable "memory" {
  description = "Memory of a task (MiB), reserved and at most."
  type        = number
  default     = 512
  nullable    = false

  validation {
    condition     = var.memory >= 256 && var.memory <= 30720
    error_message = "memory must be from 256, for two processes of Python, to 30720."
  }
}

variable "processes" {
  description = "How many processes work in a task: one for each core that it may use, and one more because S3 is waited for."
  type        = number
  default     = 3
  nullable    = false

  validation {
    condition     = var.processes >= 1 && var.processes <= 16 && floor(var.processes) == var.processes
    error_message = "processes must be a whole number from 1 to 16."
  }
}

variable "log_level" {
  description = "From which level the service writes logs."
  type        = string
  default     = "INFO"
  nullable    = false

  validation {
    condition     = contains(["DEBUG", "INFO", "WARNING", "ERROR"], var.log_level)
    error_message = "log_level must be DEBUG, INFO, WARNING or ERROR."
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

variable "prefix" {
  description = "Put before the key of every e-mail in the bucket, as it is."
  type        = string
  default     = "emails/"
  nullable    = false

  validation {
    condition     = can(regex("^([A-Za-z0-9!_.'()-]+/)*$", var.prefix))
    error_message = "prefix must be empty, or names that end with a slash, such as emails/."
  }
}

variable "poll_interval_seconds" {
  description = "How long a worker rests between two receives."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.poll_interval_seconds >= 0 && var.poll_interval_seconds <= 30
    error_message = "poll_interval_seconds must be from 0 to 30: a worker that finished nothing for a minute counts as stuck."
  }
}

variable "min_tasks" {
  description = "How many workers run at least. With 0 the first e-mail after a quiet time waits for one to start: minutes."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.min_tasks >= 0 && floor(var.min_tasks) == var.min_tasks
    error_message = "min_tasks must be a whole number from 0."
  }
}

variable "max_tasks" {
  description = "How many workers run at most."
  type        = number
  default     = 4
  nullable    = false

  validation {
    condition     = var.max_tasks >= max(var.min_tasks, 1) && floor(var.max_tasks) == var.max_tasks
    error_message = "max_tasks must be a whole number, at least 1 and at least min_tasks."
  }
}

variable "backlog_per_task" {
  description = "How many messages may wait for each worker; with more there are more workers. What one stores in the time that an e-mail may wait."
  type        = number
  default     = 1000
  nullable    = false

  validation {
    condition     = var.backlog_per_task >= 1
    error_message = "backlog_per_task must be 1 at least."
  }
}
