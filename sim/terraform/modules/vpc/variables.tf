variable "name" {
  description = "Name of the VPC, and of what is in it."
  type        = string
}

variable "cidr" {
  description = "Addresses of the VPC."
  type        = string
}

variable "azs" {
  description = "Names of the availability zones."
  type        = list(string)
}

variable "private_subnets" {
  description = "Addresses of the private subnets."
  type        = list(string)
}

variable "public_subnets" {
  description = "Addresses of the public subnets."
  type        = list(string)
}

variable "enable_nat_gateway" {
  description = "Whether private subnets reach the internet."
  type        = bool
}

variable "single_nat_gateway" {
  description = "Whether all zones share one NAT gateway."
  type        = bool
}

variable "one_nat_gateway_per_az" {
  description = "Whether each zone has a NAT gateway."
  type        = bool
}

variable "enable_flow_log" {
  description = "Whether the VPC writes flow logs."
  type        = bool
}

variable "create_flow_log_cloudwatch_log_group" {
  description = "Whether a log group is made for them."
  type        = bool
}

variable "create_flow_log_cloudwatch_iam_role" {
  description = "Whether a role is made that writes them."
  type        = bool
}

variable "flow_log_cloudwatch_log_group_retention_in_days" {
  description = "For how many days they are kept."
  type        = number
}

variable "flow_log_max_aggregation_interval" {
  description = "Over how many seconds flows are put together."
  type        = number
}
