locals {
  services = [for service in [data.terraform_remote_state.api, data.terraform_remote_state.worker] : service.outputs]
  worker   = data.terraform_remote_state.worker.outputs
  cluster  = data.terraform_remote_state.cluster.outputs
}

data "terraform_remote_state" "cluster" {
  backend = "s3"

  config = {
    bucket = var.state_bucket
    key    = "cluster/terraform.tfstate"
  }
}

data "terraform_remote_state" "api" {
  backend = "s3"

  config = {
    bucket = var.state_bucket
    key    = "services/api/terraform.tfstate"
  }
}

data "terraform_remote_state" "worker" {
  backend = "s3"

  config = {
    bucket = var.state_bucket
    key    = "services/worker/terraform.tfstate"
  }
}

# The root `account` makes it.
data "aws_iam_openid_connect_provider" "github" {
  url = "https://token.actions.githubusercontent.com"
}

module "role" {
  source = "../modules/github_role"

  name         = "${var.name}-${var.environment}-github-deploy"
  description  = "What a workflow of ${var.repository} may do to deploy."
  provider_arn = data.aws_iam_openid_connect_provider.github.arn
  subject      = local.subjects.deploy

  # A deployment and the way back, each for as long as the service's root allows.
  session_seconds = 10800
}

resource "aws_iam_role_policy" "deploy" {
  name   = "deploy"
  role   = module.role.name
  policy = data.aws_iam_policy_document.deploy.json
}
