"""Elastic Container Registry: what it has of images. Their bytes are in `sim.cloud.registry`."""
