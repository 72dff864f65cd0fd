"""Simple Queue Service: removed policies no longer appear among the attributes."""
