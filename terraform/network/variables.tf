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

variable "cidr" {
  description = "Addresses of the VPC. Two public and two private subnets are cut from it."
  type        = string
  default     = "10.0.0.0/16"
  nullable    = false

  validation {
    condition     = can(cidrnetmask(var.cidr)) && can(regex("/(1[6-9]|2[0-2])$", var.cidr))
    error_message = "cidr must be an IPv4 range from /16, the largest that a VPC takes, to /22."
  }
}

variable "nat_gateway_per_zone" {
  description = "Whether each availability zone has a NAT gateway of its own, rather than all one: twice the price, and a zone that fails takes no other along."
  type        = bool
  default     = false
  nullable    = false
}

variable "flow_logs" {
  description = "Whether CloudWatch Logs keeps who talked with whom in the VPC."
  type        = bool
  default     = false
  nullable    = false
}

variable "flow_log_retention_days" {
  description = "For how many days flow logs are kept."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827], var.flow_log_retention_days)
    error_message = "flow_log_retention_days must be a retention that CloudWatch Logs knows, such as 7, 30, 90 or 365."
  }
}
