mock_provider "aws" {
  source          = "../../mocks"
  override_during = plan
}

variables {
  name = "emails-test/api"
}

run "a_version_is_one_image_for_good" {
  command = plan

  assert {
    condition     = aws_ecr_repository.this.image_tag_mutability == "IMMUTABLE"
    error_message = "A tag never names another image."
  }

  assert {
    condition     = aws_ecr_repository.this.image_scanning_configuration[0].scan_on_push
    error_message = "What is pushed is scanned."
  }

  assert {
    condition     = !aws_ecr_repository.this.force_delete
    error_message = "A repository with images in it is kept."
  }

  assert {
    condition     = [for rule in jsondecode(aws_ecr_lifecycle_policy.this.policy).rules : rule.selection.tagStatus] == ["tagged", "untagged", "any"]
    error_message = "What was deployed is out of the reach of the later rules; AWS asks for the rule on any tag to be the last."
  }

  assert {
    condition     = jsondecode(aws_ecr_lifecycle_policy.this.policy).rules[0].selection.tagPrefixList == ["deployed-"]
    error_message = "One prefix: of several, an image would need all."
  }
}

run "wrong_variables_are_refused" {
  command = plan

  variables {
    name        = "Emails/"
    kept_images = 1
  }

  expect_failures = [var.name, var.kept_images]
}
