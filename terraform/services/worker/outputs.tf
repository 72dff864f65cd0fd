output "repository_url" {
  description = "Where images are pushed."
  value       = data.aws_ecr_repository.this.repository_url
}

output "repository_arn" {
  description = "ARN of the repository."
  value       = data.aws_ecr_repository.this.arn
}

output "image" {
  description = "The image that runs; null before the first."
  value       = local.image
}

output "service_name" {
  description = "Name of the ECS service, whether it is there yet or not."
  value       = local.name
}

output "cluster_name" {
  description = "Name of the cluster that the service is in."
  value       = local.cluster.cluster_name
}

output "task_definition_arn" {
  description = "ARN of the task definition, with its revision; null before the first image."
  value       = module.task.task_definition_arn
}

output "log_group_name" {
  description = "Where the service's logs are."
  value       = module.task.log_group_name
}

output "log_group_arn" {
  description = "ARN of the log group."
  value       = module.task.log_group_arn
}

output "role_arns" {
  description = "ARNs of the roles that the service's tasks take."
  value       = module.task.role_arns
}

output "deployment_timeout_seconds" {
  description = "After how long a deployment that has not ended is a failed one."
  value       = local.deployment_timeout_seconds
}

output "deployment_alarm" {
  description = "Name of the alarm that takes a deployment back."
  value       = aws_cloudwatch_metric_alarm.failed_puts.alarm_name
}

output "bucket" {
  description = "The bucket of e-mails."
  value       = local.messaging.bucket
}

output "bucket_arn" {
  description = "ARN of the bucket of e-mails."
  value       = local.messaging.bucket_arn
}

output "prefix" {
  description = "How the key of every e-mail begins."
  value       = var.prefix
}

output "min_tasks" {
  description = "How many workers run at least."
  value       = var.min_tasks
}
