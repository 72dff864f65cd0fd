"""Elastic Compute Cloud: corrected launch templates and gateway endpoints."""
