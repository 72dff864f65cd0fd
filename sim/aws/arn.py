"""ARNs: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html"""

from __future__ import annotations


def last_part(name: str) -> str:
    """The last part of an ARN, which ECS takes in its place; the name itself if it is no ARN."""
    return name.rpartition("/")[2]
