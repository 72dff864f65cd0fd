output "topic_arn" {
  description = "ARN of the SNS topic that every alarm is published to, for other subscribers than people."
  value       = aws_sns_topic.alarms.arn
}

output "dashboard" {
  description = "Name of the dashboard in CloudWatch."
  value       = aws_cloudwatch_dashboard.this.dashboard_name
}
