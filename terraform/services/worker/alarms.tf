# Takes a deployment back; the root `monitoring` tells people of it.

locals {
  alarm_periods = 2
  alarm_seconds = 60 * local.alarm_periods
}

resource "aws_cloudwatch_log_metric_filter" "failed_puts" {
  name           = "${local.name}-failed-puts"
  log_group_name = module.task.log_group_name
  pattern        = "{ $.message = \"PutObject failed\" }"

  metric_transformation {
    namespace = "${var.name}-${var.environment}"
    name      = "FailedPuts"
    value     = "1"
  }
}

resource "aws_cloudwatch_metric_alarm" "failed_puts" {
  alarm_name        = "${local.name}-failed-puts"
  alarm_description = "The workers fail to store e-mails; each is tried again."

  namespace   = aws_cloudwatch_log_metric_filter.failed_puts.metric_transformation[0].namespace
  metric_name = aws_cloudwatch_log_metric_filter.failed_puts.metric_transformation[0].name
  statistic   = "Sum"
  period      = 60

  # More than one poisonous e-mail alone can bring about.
  comparison_operator = "GreaterThanThreshold"
  threshold           = 5
  evaluation_periods  = local.alarm_periods
  treat_missing_data  = "notBreaching"
}
