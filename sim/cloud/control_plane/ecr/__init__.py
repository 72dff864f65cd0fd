"""Elastic Container Registry: images are pushed by its API."""
