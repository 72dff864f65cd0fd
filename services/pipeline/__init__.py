"""What the API and the worker share: the message, the AWS clients, the logs, and what they take from the machine."""
