resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name        = "${local.name}-errors"
  alarm_description = "The API answers with 5xx: of 20 requests one, or more."

  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 5
  evaluation_periods  = 2
  treat_missing_data  = "notBreaching"

  alarm_actions = var.alarm_actions
  ok_actions    = var.alarm_actions

  metric_query {
    id          = "percent"
    label       = "Requests answered with 5xx, in percent"
    expression  = "100 * FILL(errors, 0) / requests"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { errors = "HTTPCode_Backend_5XX", requests = "RequestCount" }
    content {
      id = metric_query.key

      metric {
        namespace   = "AWS/ELB"
        metric_name = metric_query.value
        dimensions  = { LoadBalancerName = local.cluster.load_balancer_name }
        stat        = "Sum"
        period      = 60
      }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "healthy_instances" {
  alarm_name        = "${local.name}-healthy-instances"
  alarm_description = "Fewer instances answer the load balancer than there are tasks to serve."

  namespace   = "AWS/ELB"
  metric_name = "HealthyHostCount"
  dimensions  = { LoadBalancerName = local.cluster.load_balancer_name }
  statistic   = "Average"
  period      = 60

  comparison_operator = "LessThanThreshold"
  threshold           = local.cluster.api_tasks
  evaluation_periods  = 3
  # No instance at all is no data, too.
  treat_missing_data = local.image == null ? "notBreaching" : "breaching"

  alarm_actions = var.alarm_actions
  ok_actions    = var.alarm_actions
}
