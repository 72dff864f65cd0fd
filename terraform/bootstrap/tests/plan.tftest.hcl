mock_provider "aws" {
  source          = "../mocks"
  override_during = plan
}

variables {
  environment = "test"
}

run "a_bucket_that_is_kept" {
  command = plan

  assert {
    condition     = module.state.name != null && output.state_bucket == module.state.name
    error_message = "The bucket's name is said."
  }
}

run "wrong_variables_are_refused" {
  command = plan

  variables {
    name        = "aws-emails"
    environment = "Production"
  }

  expect_failures = [var.name, var.environment]
}

run "names_that_would_be_too_long_are_refused" {
  command = plan

  variables {
    name        = "seventeen-letters"
    environment = "twelve-chars"
  }

  expect_failures = [var.name, var.environment]
}
