"""Elastic Load Balancing, the classic one."""
