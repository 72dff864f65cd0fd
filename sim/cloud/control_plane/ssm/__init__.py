"""Systems Manager: parameters that AWS publishes."""
