output "name" {
  description = "Name of the role."
  value       = aws_iam_role.this.name
}

output "arn" {
  description = "ARN of the role: a workflow's `role-to-assume`."
  value       = aws_iam_role.this.arn
}
