"""The plain worker: receives up to ten messages, then puts and deletes them one after the other."""

from __future__ import annotations

import json
import os

import boto3


def main() -> None:
    """Runs until it is killed."""
    sqs = boto3.client("sqs", os.environ["AWS_REGION"])
    s3 = boto3.client("s3", os.environ["AWS_REGION"])
    queue_url, bucket, prefix = os.environ["QUEUE_URL"], os.environ["BUCKET"], os.environ["PREFIX"]
    while True:
        answer = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=20)
        for message in answer.get("Messages", []):
            document = json.loads(message["Body"])
            key = f"{prefix}{document['id']}.json"
            s3.put_object(Bucket=bucket, Key=key, Body=message["Body"].encode())
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])


if __name__ == "__main__":
    main()
