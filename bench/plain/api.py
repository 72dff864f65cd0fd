"""The plain API: Flask's own server, a thread for each connection, one SendMessage for each request."""

from __future__ import annotations

import json
import os
import time
import uuid

import boto3
from flask import Flask, request
from flask.typing import ResponseReturnValue

_FIELDS = ("email_subject", "email_sender", "email_timestream", "email_content")


def create_app() -> Flask:
    """The application; reads the token from SSM once."""
    app = Flask(__name__)
    region, queue_url = os.environ["AWS_REGION"], os.environ["QUEUE_URL"]
    sqs = boto3.client("sqs", region)
    parameter = boto3.client("ssm", region).get_parameter(Name=os.environ["TOKEN_PARAMETER"], WithDecryption=True)
    token = parameter["Parameter"]["Value"]

    @app.post("/publish")
    def publish() -> ResponseReturnValue:
        document = request.get_json()
        if document.get("token") != token:
            return {"error": "wrong token"}, 401
        data = document.get("data")
        if not isinstance(data, dict) or set(data) != set(_FIELDS):
            return {"error": f"data must have the fields {', '.join(_FIELDS)}"}, 400
        if not all(isinstance(value, str) for value in data.values()) or not data["email_timestream"].isdigit():
            return {"error": "every field must be text, email_timestream Unix seconds"}, 400
        message_id = uuid.uuid4().hex
        message = {"id": message_id, "received_at": time.time(), "data": data}
        sqs.send_message(QueueUrl=queue_url, MessageBody=json.dumps(message))
        return {"status": "ok", "message_id": message_id}

    @app.get("/health")
    def health() -> ResponseReturnValue:
        return "ok"

    return app


if __name__ == "__main__":
    create_app().run(host=os.environ["HOST"], port=int(os.environ["PORT"]), threaded=True)
