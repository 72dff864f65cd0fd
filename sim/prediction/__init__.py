"""Predicts what a deployment costs clients: the cluster's cores in virtual time, on settings read from Terraform."""
