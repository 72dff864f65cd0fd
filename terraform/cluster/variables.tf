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

variable "disposable" {
  description = "Whether destroying the root takes along what it keeps: access logs, and instances without waiting for them. Never in production."
  type        = bool
  default     = false
  nullable    = false
}

variable "api_tasks" {
  description = "How many tasks of the API run. Each needs an instance of its own, for its port; there is always an instance more."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = var.api_tasks >= 1 && var.api_tasks <= 50 && floor(var.api_tasks) == var.api_tasks
    error_message = "api_tasks must be a whole number from 1 to 50."
  }
}

variable "additional_instances" {
  description = "How many instances ECS may add to those that the API needs, when workers find no room."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = var.additional_instances >= 0 && var.additional_instances <= 100 && floor(var.additional_instances) == var.additional_instances
    error_message = "additional_instances must be a whole number from 0 to 100."
  }
}

variable "instance_type" {
  description = "Type of the instances, x86-64 as the images are."
  type        = string
  default     = "t3.small"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]*[0-9][a-z-]*\\.[a-z0-9-]+$", var.instance_type))
    error_message = "instance_type must be an EC2 instance type, such as t3.small."
  }
}

variable "ami" {
  description = "Name of the ECS-optimised Amazon Linux 2023, such as al2023-ami-ecs-hvm-2023.0.20260901-kernel-6.1-x86_64. Another one replaces the instances, one after the other. `recommended` is AWS's newest on the day of each plan, for what is disposable."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^al2023-ami-ecs-hvm-[a-z0-9._-]+-x86_64$", var.ami)) || var.ami == "recommended"
    error_message = "ami must be the name of an ECS-optimised Amazon Linux 2023 for x86-64, as the images are; `aws ssm get-parameter --name /aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_name` prints the newest."
  }

  validation {
    condition     = var.ami != "recommended" || var.disposable
    error_message = "ami must be pinned where the environment is not disposable: with `recommended` any plan may replace all instances."
  }
}

variable "root_volume_gigabytes" {
  description = "Size of an instance's volume (GiB): the system, images and what containers write."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.root_volume_gigabytes >= 30 && var.root_volume_gigabytes <= 1000
    error_message = "root_volume_gigabytes must be from 30, the size of the AMI's own, to 1000."
  }
}

variable "container_insights" {
  description = "Whether CloudWatch has the metrics of each task. They are paid for."
  type        = bool
  default     = true
  nullable    = false
}

variable "domain_name" {
  description = "Name under which clients reach the load balancer, and for which the certificate is."
  type        = string
  default     = null

  validation {
    condition     = var.domain_name == null ? true : can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?[.])+[a-z]{2,}$", var.domain_name))
    error_message = "domain_name must be a name such as emails.example.com."
  }
}

variable "certificate_arn" {
  description = "Certificate (ACM, in this region) for the domain name. With one the load balancer speaks HTTPS on port 443, and only that."
  type        = string
  default     = null

  validation {
    condition     = var.certificate_arn == null ? true : can(regex("^arn:[a-z-]+:(acm|iam):", var.certificate_arn))
    error_message = "certificate_arn must be the ARN of a certificate in ACM or IAM, or null."
  }

  validation {
    condition     = (var.certificate_arn == null) == (var.domain_name == null)
    error_message = "certificate_arn and domain_name go together: no certificate is for the load balancer's own name, and without one the name is of no use."
  }

  validation {
    condition     = var.certificate_arn != null || var.allow_plain_http
    error_message = "certificate_arn and domain_name must be given: with plain HTTP the token crosses the internet in the open. Where that may be, in what is disposable, set allow_plain_http = true."
  }
}

variable "hosted_zone_id" {
  description = "Hosted zone (Route 53) in which the domain name becomes an alias of the load balancer; null where you make the record elsewhere."
  type        = string
  default     = null

  validation {
    condition     = var.hosted_zone_id == null ? true : can(regex("^Z[A-Z0-9]+$", var.hosted_zone_id)) && var.domain_name != null
    error_message = "hosted_zone_id must be the id of a hosted zone, such as Z123, and goes with a domain_name."
  }
}

variable "allow_plain_http" {
  description = "Whether the load balancer may speak HTTP on port 80 where there is no certificate. The token then crosses the internet in the open."
  type        = bool
  default     = false
  nullable    = false
}

variable "client_cidrs" {
  description = "Addresses that may speak to the load balancer: by default the world's."
  type        = set(string)
  default     = ["0.0.0.0/0"]
  nullable    = false

  validation {
    condition     = length(var.client_cidrs) > 0 && alltrue([for cidr in var.client_cidrs : can(cidrnetmask(cidr))])
    error_message = "client_cidrs must be IPv4 ranges, at least one."
  }
}

variable "access_logs" {
  description = "Whether the load balancer writes each request into a bucket of its own."
  type        = bool
  default     = false
  nullable    = false
}

variable "access_log_retention_days" {
  description = "For how many days access logs are kept."
  type        = number
  default     = 90
  nullable    = false

  validation {
    condition     = var.access_log_retention_days >= 1 && var.access_log_retention_days <= 3650
    error_message = "access_log_retention_days must be from 1 to 3650."
  }
}
