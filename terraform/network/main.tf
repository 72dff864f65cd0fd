locals {
  name  = "${var.name}-${var.environment}"
  zones = slice(sort(data.aws_availability_zones.available.names), 0, 2)
}

data "aws_region" "current" {}

data "aws_availability_zones" "available" {
  state = "available"

  # Without Local Zones, which have no NAT gateways and no Classic ELB.
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

module "vpc" {
  source  = "terraform-aws-modules/vpc/aws"
  version = "5.21.0"

  name = local.name
  cidr = var.cidr
  azs  = local.zones

  # A quarter of the addresses for each private subnet, an eighth for each public one, the last quarter for later.
  private_subnets = [cidrsubnet(var.cidr, 2, 0), cidrsubnet(var.cidr, 2, 1)]
  public_subnets  = [cidrsubnet(var.cidr, 3, 4), cidrsubnet(var.cidr, 3, 5)]

  enable_nat_gateway     = true
  single_nat_gateway     = !var.nat_gateway_per_zone
  one_nat_gateway_per_az = var.nat_gateway_per_zone

  enable_flow_log                                 = var.flow_logs
  create_flow_log_cloudwatch_log_group            = var.flow_logs
  create_flow_log_cloudwatch_iam_role             = var.flow_logs
  flow_log_cloudwatch_log_group_retention_in_days = var.flow_log_retention_days
  flow_log_max_aggregation_interval               = 60
}

# What goes to S3, e-mails and the layers of images, needs no NAT gateway and is not paid by the gigabyte.
resource "aws_vpc_endpoint" "s3" {
  vpc_id            = module.vpc.vpc_id
  service_name      = "com.amazonaws.${data.aws_region.current.name}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = module.vpc.private_route_table_ids

  tags = { Name = "${local.name}-s3" }
}
