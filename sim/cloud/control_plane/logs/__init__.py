"""CloudWatch Logs, as far as LocalStack counts log lines in another way than AWS."""
