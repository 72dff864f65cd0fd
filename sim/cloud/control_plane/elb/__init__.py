"""Elastic Load Balancing: Classic ELB."""
