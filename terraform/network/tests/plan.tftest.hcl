mock_provider "aws" {
  source          = "../mocks"
  override_during = plan
}

variables {
  environment = "test"
}

run "two_zones_and_one_nat_gateway" {
  command = plan

  assert {
    condition     = tolist(local.zones) == tolist(["eu-central-1a", "eu-central-1b"])
    error_message = "The first two zones by their names, whatever order AWS lists them in."
  }

  assert {
    condition     = length(module.vpc.public_subnets) == 2 && length(module.vpc.private_subnets) == 2
    error_message = "A public and a private subnet in each zone."
  }

  assert {
    condition     = length(module.vpc.nat_public_ips) == 1
    error_message = "One NAT gateway for both zones."
  }

  assert {
    condition     = aws_vpc_endpoint.s3.vpc_endpoint_type == "Gateway" && aws_vpc_endpoint.s3.service_name == "com.amazonaws.eu-central-1.s3"
    error_message = "S3 is reached without the NAT gateway."
  }

  assert {
    condition     = length(aws_vpc_endpoint.s3.route_table_ids) == length(module.vpc.private_route_table_ids)
    error_message = "Every private route table leads to S3."
  }
}

run "a_nat_gateway_in_each_zone" {
  command = plan

  variables {
    nat_gateway_per_zone = true
    flow_logs            = true
  }

  assert {
    condition     = length(module.vpc.nat_public_ips) == 2 && length(module.vpc.private_route_table_ids) == 2
    error_message = "Each zone goes out by its own NAT gateway."
  }
}

run "wrong_variables_are_refused" {
  command = plan

  variables {
    name                    = "x"
    environment             = "-"
    cidr                    = "10.0.0.0/8"
    flow_log_retention_days = 31
  }

  expect_failures = [var.name, var.environment, var.cidr, var.flow_log_retention_days]
}
