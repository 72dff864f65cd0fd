output "task_definition_arn" {
  description = "ARN of the task definition, with its revision; null without an image."
  value       = one(aws_ecs_task_definition.this[*].arn)
}

output "role_arns" {
  description = "ARNs of the task role and the execution role, in this order."
  value       = [aws_iam_role.task.arn, aws_iam_role.execution.arn]

  # A task that starts before its roles may do anything fails.
  depends_on = [aws_iam_role_policy.task, aws_iam_role_policy.execution]
}

output "log_group_name" {
  description = "Name of the log group."
  value       = aws_cloudwatch_log_group.this.name
}

output "log_group_arn" {
  description = "ARN of the log group."
  value       = aws_cloudwatch_log_group.this.arn
}
