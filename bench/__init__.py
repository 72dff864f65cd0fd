"""Benchmarks: compares the services with a plain implementation, on the same machine in one run."""
