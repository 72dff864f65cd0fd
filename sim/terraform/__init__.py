"""Applies production's Terraform, unmodified, to the local cloud."""
