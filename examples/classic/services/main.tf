terraform {
  required_version = ">= 1.11"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.79"
    }
  }
  backend "s3" {
    bucket         = "shop-terraform-states"
    key            = "services.tfstate"
    region         = "eu-central-1"
    dynamodb_table = "shop-terraform-locks"
  }
}

provider "aws" {
  region = "eu-central-1"
}

variable "release" {
  description = "What the services say that they are."
  type        = string
}

data "terraform_remote_state" "network" {
  backend = "s3"
  config = {
    bucket = "shop-terraform-states"
    key    = "network.tfstate"
    region = "eu-central-1"
  }
}

locals {
  vpc_id     = data.terraform_remote_state.network.outputs.vpc_id
  subnet_ids = data.terraform_remote_state.network.outputs.subnet_ids
  image      = "${aws_ecr_repository.web.repository_url}:latest"
}

resource "aws_ecr_repository" "web" {
  name         = "shop/web"
  force_delete = true
}

resource "aws_cloudwatch_log_group" "shop" {
  name              = "/ecs/shop"
  retention_in_days = 7
}
