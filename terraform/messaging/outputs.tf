output "queue_url" {
  description = "URL of the queue."
  value       = aws_sqs_queue.emails.url
}

output "queue_arn" {
  description = "ARN of the queue."
  value       = aws_sqs_queue.emails.arn
}

output "queue_name" {
  description = "Name of the queue, as its metrics have it."
  value       = aws_sqs_queue.emails.name
}

output "dead_letter_queue_url" {
  description = "URL of the dead-letter queue."
  value       = aws_sqs_queue.dead_letters.url
}

output "dead_letter_queue_name" {
  description = "Name of the dead-letter queue, as its metrics have it."
  value       = aws_sqs_queue.dead_letters.name
}

output "message_retention_seconds" {
  description = "For how long a message waits that no worker takes."
  value       = aws_sqs_queue.emails.message_retention_seconds
}

output "max_message_size" {
  description = "The most that the queue takes in a message (bytes)."
  value       = aws_sqs_queue.emails.max_message_size
}

output "visibility_timeout_seconds" {
  description = "The queue's visibility timeout, and so the worker's."
  value       = aws_sqs_queue.emails.visibility_timeout_seconds
}

output "receive_wait_time_seconds" {
  description = "For how long a receive waits for a message, and so the worker's."
  value       = aws_sqs_queue.emails.receive_wait_time_seconds
}

output "bucket" {
  description = "Name of the bucket of e-mails."
  value       = module.emails.name
}

output "bucket_arn" {
  description = "ARN of the bucket of e-mails."
  value       = module.emails.arn
}
