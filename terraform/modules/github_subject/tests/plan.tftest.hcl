variables {
  repository = "some-one/emails.v2"
}

run "with_its_numbers" {
  command = plan

  variables {
    repository_ids = { owner = 9919, repository = 1042387461 }
  }

  assert {
    condition     = output.repository == "repo:some-one@9919/emails.v2@1042387461"
    error_message = "Each name with its number."
  }
}

run "of_an_older_repository" {
  command = plan

  variables {
    repository_ids = null
  }

  assert {
    condition     = output.repository == "repo:some-one/emails.v2"
    error_message = "The names alone."
  }
}

run "wrong_variables_are_refused" {
  command = plan

  variables {
    repository     = "someone/*"
    repository_ids = { owner = 0, repository = 1.5 }
  }

  expect_failures = [var.repository, var.repository_ids]
}
