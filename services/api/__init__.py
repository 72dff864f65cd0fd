"""The API: takes e-mails over HTTP, and answers 200 only when SQS has them."""
