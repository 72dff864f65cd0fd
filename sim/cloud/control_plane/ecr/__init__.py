"""Elastic Container Registry: images pushed by its API."""
