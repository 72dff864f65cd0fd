terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }
}

provider "aws" {
  default_tags {
    tags = {
      Application = var.name
      Environment = var.environment
      Root        = "bootstrap"
    }
  }
}
