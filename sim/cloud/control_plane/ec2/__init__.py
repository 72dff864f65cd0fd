"""Elastic Compute Cloud: launch templates that do not hold their own tags."""
