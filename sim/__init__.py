"""The kit: the pipeline on a laptop, with no AWS account, no token and no network."""
