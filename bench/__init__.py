"""How fast the services are: measured against a plain implementation of the same, on the same machine in one run."""
