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

output "url" {
  description = "Where clients publish and ask."
  value       = local.cluster.url
}

output "token_parameter" {
  description = "Name of the SSM parameter that holds the token."
  value       = aws_ssm_parameter.token.name
}

output "token_parameter_arn" {
  description = "ARN of the SSM parameter that holds the token."
  value       = aws_ssm_parameter.token.arn
}

output "deployment_timeout_seconds" {
  description = "After how long a deployment that has not ended is a failed one."
  value       = local.deployment_timeout_seconds
}

output "deployment_alarm" {
  description = "Name of the alarm that takes a deployment back."
  value       = aws_cloudwatch_metric_alarm.errors.alarm_name
}
