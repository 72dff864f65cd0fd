"""What a deployment costs clients, foretold: the cluster's cores in virtual time, on settings read from Terraform."""
