# Your repository on GitHub, and its numbers: gh api repos/OWNER/NAME --jq '{owner: .owner.id, repository: .id}'
repository     = "OWNER/NAME"
repository_ids = { owner = 0, repository = 0 }
# apply_from_github = true # workflows plan and apply this root; docs/deploy.md says what that takes
