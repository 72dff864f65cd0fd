# Terraform takes no variable in `prevent_destroy`, so there are two resources, of which one is made. A change of
# `disposable` from false to true is refused at the plan, which is the point; README.md of the roots tells the way.
resource "aws_s3_bucket" "kept" {
  count  = var.disposable ? 0 : 1
  bucket = var.name

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_s3_bucket" "disposable" {
  count         = var.disposable ? 1 : 0
  bucket        = var.name
  force_destroy = true
}

locals {
  bucket = var.disposable ? aws_s3_bucket.disposable[0] : aws_s3_bucket.kept[0]
}

resource "aws_s3_bucket_ownership_controls" "this" {
  bucket = local.bucket.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket = local.bucket.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_versioning" "this" {
  bucket = local.bucket.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = local.bucket.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  count  = var.life_cycle == null ? 0 : 1
  bucket = local.bucket.id

  rule {
    id     = "everything"
    status = "Enabled"

    filter {
      prefix = ""
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }

    noncurrent_version_expiration {
      noncurrent_days = var.life_cycle.noncurrent_version_days
    }

    dynamic "transition" {
      for_each = var.life_cycle.infrequent_access_days[*]
      content {
        days          = transition.value
        storage_class = "STANDARD_IA"
      }
    }

    dynamic "expiration" {
      for_each = var.life_cycle.expiration_days[*]
      content {
        days = expiration.value
      }
    }
  }

  # S3 refuses rules for noncurrent versions of a bucket that has none.
  depends_on = [aws_s3_bucket_versioning.this]
}

data "aws_iam_policy_document" "this" {
  source_policy_documents = var.policy_documents

  statement {
    sid       = "TlsOnly"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [local.bucket.arn, "${local.bucket.arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_s3_bucket_policy" "this" {
  bucket = local.bucket.id
  policy = data.aws_iam_policy_document.this.json

  # S3 refuses two changes at once of what decides on public access.
  depends_on = [aws_s3_bucket_public_access_block.this]
}
