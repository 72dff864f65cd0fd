"""Production's Terraform, applied unmodified to the local cloud."""
