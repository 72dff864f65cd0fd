# The same two as in environments/shared/account.tfvars.
repository     = "OWNER/NAME"
repository_ids = { owner = 0, repository = 0 }
# apply_from_github = true # workflows plan and apply the roots; docs/deploy.md says what that takes
