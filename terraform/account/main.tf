# What is one for the whole account: the repositories of images, GitHub's identity provider, and the role that pushes.

locals {
  services = ["api", "worker"]
  provider = one(concat(aws_iam_openid_connect_provider.github[*].arn, data.aws_iam_openid_connect_provider.github[*].arn))
  issuer   = "https://token.actions.githubusercontent.com"
}

module "repository" {
  source   = "../modules/repository"
  for_each = toset(local.services)

  name        = "${var.name}/${each.value}"
  disposable  = var.disposable
  kept_images = var.kept_images
}

resource "aws_iam_openid_connect_provider" "github" {
  count = var.create_provider ? 1 : 0

  url            = local.issuer
  client_id_list = ["sts.amazonaws.com"]
}

data "aws_iam_openid_connect_provider" "github" {
  count = var.create_provider ? 0 : 1

  url = local.issuer
}

data "aws_partition" "current" {}

# Pushes images, and asks whether a version is there already. It can take none away, and tags are immutable.
# https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html
data "aws_iam_policy_document" "build" {
  statement {
    sid       = "LogInToEcr"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }

  statement {
    sid = "PushImages"
    actions = [
      "ecr:BatchCheckLayerAvailability",
      "ecr:BatchGetImage",
      "ecr:CompleteLayerUpload",
      "ecr:DescribeRepositories",
      "ecr:InitiateLayerUpload",
      "ecr:PutImage",
      "ecr:UploadLayerPart",
    ]
    resources = values(module.repository)[*].arn
  }

  # AWS's own, of every region, for the pull request that raises the AMI.
  statement {
    sid       = "FindTheNewestAmi"
    actions   = ["ssm:GetParameter"]
    resources = ["arn:${data.aws_partition.current.partition}:ssm:*::parameter/aws/service/ecs/optimized-ami/*"]
  }
}

module "build" {
  source = "../modules/github_role"

  name         = "${var.name}-${var.environment}-github-build"
  description  = "What a workflow of ${var.repository} may do to publish images."
  provider_arn = local.provider
  subject      = local.subjects.build
}

resource "aws_iam_role_policy" "build" {
  name   = "build"
  role   = module.build.name
  policy = data.aws_iam_policy_document.build.json
}

# Where workflows are to apply this root, too.
module "infra" {
  source = "../modules/github_infra"
  count  = var.apply_from_github ? 1 : 0

  name         = "${var.name}-${var.environment}"
  repository   = var.repository
  provider_arn = local.provider
  subjects     = { plan = local.subjects.plan, infra = local.subjects.infra }
  state_bucket = var.state_bucket
}
