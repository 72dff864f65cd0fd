terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }

  # Bucket and region are given at init.
  backend "s3" {
    key          = "account/terraform.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}

provider "aws" {
  default_tags {
    tags = {
      Application = var.name
      Environment = var.environment
      Root        = "account"
    }
  }
}
