"""Elastic Load Balancing, version 2: Application Load Balancers and their target groups."""
