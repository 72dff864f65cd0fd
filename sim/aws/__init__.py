"""What AWS does: models of SQS, S3 and SSM, and how their calls look on the wire. Pure."""
