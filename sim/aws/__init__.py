"""What AWS does: models of SQS, S3 and SSM, how their calls look on the wire, and what IAM decides. Pure."""
