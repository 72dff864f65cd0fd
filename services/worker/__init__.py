"""The worker: every message of the queue becomes one object in S3, and leaves the queue only then."""
