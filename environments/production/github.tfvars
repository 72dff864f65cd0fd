# The same two as in environments/shared/account.tfvars.
repository     = "OWNER/NAME"
repository_ids = { owner = 0, repository = 0 }
