mock_provider "aws" {
  source          = "../../mocks"
  override_during = plan
}

variables {
  name = "a-bucket"
}

run "kept_closed_and_encrypted" {
  command = plan

  assert {
    condition     = length(terraform_data.kept) == 1 && !aws_s3_bucket.this.force_destroy
    error_message = "Unless it is disposable, no plan destroys the bucket."
  }

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.this.block_public_acls,
      aws_s3_bucket_public_access_block.this.block_public_policy,
      aws_s3_bucket_public_access_block.this.ignore_public_acls,
      aws_s3_bucket_public_access_block.this.restrict_public_buckets,
    ])
    error_message = "Public access is blocked in all four ways."
  }

  assert {
    condition     = aws_s3_bucket_versioning.this.versioning_configuration[0].status == "Enabled"
    error_message = "The bucket has versions."
  }

  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default[0].sse_algorithm == "AES256"
    error_message = "The bucket is encrypted."
  }

  assert {
    condition = anytrue([
      for statement in data.aws_iam_policy_document.this.statement :
      statement.effect == "Deny" && statement.actions == toset(["s3:*"])
      && statement.resources == toset(["arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*"])
      && one(statement.principals).identifiers == toset(["*"])
      && one(statement.condition).variable == "aws:SecureTransport" && one(statement.condition).values == tolist(["false"])
    ])
    error_message = "Whoever comes without TLS is refused."
  }

  assert {
    condition     = length(aws_s3_bucket_lifecycle_configuration.this) == 0
    error_message = "Whatever was there once is kept."
  }
}

run "disposable" {
  command = plan

  variables {
    disposable       = true
    life_cycle       = { noncurrent_version_days = 3, expiration_days = 7 }
    policy_documents = ["{\"Statement\":[]}"]
  }

  assert {
    condition     = length(terraform_data.kept) == 0 && aws_s3_bucket.this.force_destroy
    error_message = "A disposable bucket goes with what is in it."
  }

  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.this[0].rule[0].expiration[0].days == 7 && length(aws_s3_bucket_lifecycle_configuration.this[0].rule[0].transition) == 0
    error_message = "Objects go after the days that were asked for."
  }

  assert {
    condition     = data.aws_iam_policy_document.this.source_policy_documents == tolist(["{\"Statement\":[]}"])
    error_message = "Further policies hold beside the one that asks for TLS."
  }
}

run "wrong_variables_are_refused" {
  command = plan

  variables {
    name             = "with.dots"
    policy_documents = ["no JSON"]
    life_cycle       = { noncurrent_version_days = 0, infrequent_access_days = 29, expiration_days = 0 }
  }

  expect_failures = [
    var.name,
    var.policy_documents,
    var.life_cycle,
  ]
}
