# Takes a deployment back; the root `monitoring` tells people of it.

locals {
  alarm_periods = 2
  alarm_seconds = 60 * local.alarm_periods
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name        = "${local.name}-errors"
  alarm_description = "Of 20 requests one or more is answered with 5xx, by the API or for want of it by the load balancer."

  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 5
  evaluation_periods  = local.alarm_periods
  treat_missing_data  = "notBreaching"

  # What the load balancer answers itself is no request to it. A few requests say nothing yet.
  metric_query {
    id          = "percent"
    label       = "Requests answered with 5xx, in percent"
    expression  = "IF(FILL(requests, 0) + FILL(balancer, 0) >= ${var.alarm_requests}, 100 * (FILL(errors, 0) + FILL(balancer, 0)) / (FILL(requests, 0) + FILL(balancer, 0)), 0)"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { balancer = "HTTPCode_ELB_5XX", errors = "HTTPCode_Backend_5XX", requests = "RequestCount" }
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
