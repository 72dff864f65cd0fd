# Your repository on GitHub, and its numbers: gh api repos/OWNER/NAME --jq '{owner: .owner.id, repository: .id}'
repository     = "OWNER/NAME"
repository_ids = { owner = 0, repository = 0 }
