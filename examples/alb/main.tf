terraform {
  required_version = ">= 1.11"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.79"
    }
  }
}

provider "aws" {
  region = "eu-central-1"
}

variable "release" {
  description = "What the service says that it is."
  type        = string
}

data "aws_availability_zones" "available" {
  state = "available"
}

resource "aws_vpc" "board" {
  cidr_block           = "10.30.0.0/16"
  enable_dns_hostnames = true
  tags                 = { Name = "board" }
}

resource "aws_internet_gateway" "board" {
  vpc_id = aws_vpc.board.id
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.board.id

  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.board.id
  }
}

resource "aws_subnet" "public" {
  count             = 2
  vpc_id            = aws_vpc.board.id
  availability_zone = data.aws_availability_zones.available.names[count.index]
  cidr_block        = cidrsubnet(aws_vpc.board.cidr_block, 8, count.index)
}

resource "aws_route_table_association" "public" {
  count          = 2
  subnet_id      = aws_subnet.public[count.index].id
  route_table_id = aws_route_table.public.id
}
