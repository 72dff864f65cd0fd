locals {
  # An image that runs is among so many for years, and their layers are mostly the same ones.
  kept_deployed = 500
}

resource "aws_ecr_repository" "this" {
  name                 = var.name
  image_tag_mutability = "IMMUTABLE"
  force_delete         = var.disposable

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = "AES256"
  }
}

resource "aws_ecr_lifecycle_policy" "this" {
  repository = aws_ecr_repository.this.name

  policy = jsonencode({
    # An image that matches a rule's tags is expired by no later rule: the first holds on to what any environment runs or ran.
    rules = [
      {
        rulePriority = 1
        description  = "What was deployed is kept, but for all past the newest ${local.kept_deployed}"
        selection = {
          tagStatus     = "tagged"
          tagPrefixList = ["deployed-"]
          countType     = "imageCountMoreThan"
          countNumber   = local.kept_deployed
        }
        action = { type = "expire" }
      },
      {
        rulePriority = 2
        description  = "What no tag names any more"
        selection = {
          tagStatus   = "untagged"
          countType   = "sinceImagePushed"
          countUnit   = "days"
          countNumber = 7
        }
        action = { type = "expire" }
      },
      {
        rulePriority = 3
        description  = "All but the newest ${var.kept_images}"
        selection = {
          tagStatus   = "any"
          countType   = "imageCountMoreThan"
          countNumber = var.kept_images
        }
        action = { type = "expire" }
      },
    ]
  })
}
