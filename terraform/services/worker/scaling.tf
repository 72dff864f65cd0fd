# As many workers as keep the backlog of each at its target. How many run is counted by their CPU metrics, of which each
# sends one a minute: they are there without Container Insights too. Where none runs, the whole backlog is one worker's.

locals {
  metrics = {
    visible = {
      namespace  = "AWS/SQS"
      name       = "ApproximateNumberOfMessagesVisible"
      dimensions = { QueueName = local.messaging.queue_name }
      stat       = "Average"
    }
    running = {
      namespace  = "AWS/ECS"
      name       = "CPUUtilization"
      dimensions = { ClusterName = local.cluster.cluster_name, ServiceName = local.name }
      stat       = "SampleCount"
    }
  }
}

resource "aws_appautoscaling_target" "this" {
  count = length(aws_ecs_service.this)

  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${local.cluster.cluster_name}/${aws_ecs_service.this[0].name}"
  min_capacity       = var.min_tasks
  max_capacity       = var.max_tasks
}

resource "aws_appautoscaling_policy" "backlog" {
  count = length(aws_appautoscaling_target.this)

  name               = "${local.name}-backlog"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this[0].service_namespace
  scalable_dimension = aws_appautoscaling_target.this[0].scalable_dimension
  resource_id        = aws_appautoscaling_target.this[0].resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = var.backlog_per_task
    scale_out_cooldown = 60
    scale_in_cooldown  = 300

    customized_metric_specification {
      metrics {
        id          = "backlog"
        label       = "Messages that wait for each worker"
        expression  = "visible / IF(FILL(running, 0) > 0, running, 1)"
        return_data = true
      }

      dynamic "metrics" {
        for_each = local.metrics
        content {
          id          = metrics.key
          return_data = false

          metric_stat {
            stat = metrics.value.stat

            metric {
              namespace   = metrics.value.namespace
              metric_name = metrics.value.name

              dynamic "dimensions" {
                for_each = metrics.value.dimensions
                content {
                  name  = dimensions.key
                  value = dimensions.value
                }
              }
            }
          }
        }
      }
    }
  }
}

# Target tracking multiplies what is there, and nothing times anything is nothing: from zero, a step takes the first.
resource "aws_appautoscaling_policy" "wake" {
  count = var.min_tasks == 0 ? length(aws_appautoscaling_target.this) : 0

  name               = "${local.name}-wake"
  policy_type        = "StepScaling"
  service_namespace  = aws_appautoscaling_target.this[0].service_namespace
  scalable_dimension = aws_appautoscaling_target.this[0].scalable_dimension
  resource_id        = aws_appautoscaling_target.this[0].resource_id

  step_scaling_policy_configuration {
    adjustment_type = "ChangeInCapacity"
    cooldown        = 120

    step_adjustment {
      scaling_adjustment          = 1
      metric_interval_lower_bound = 0
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "wake" {
  count = length(aws_appautoscaling_policy.wake)

  alarm_name        = "${local.name}-wake"
  alarm_description = "Messages wait and no worker runs: starts the first."

  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching"

  # A minute whose CPU metrics are not there yet looks like one without workers: two of three minutes must.
  evaluation_periods  = 3
  datapoints_to_alarm = 2

  alarm_actions = [aws_appautoscaling_policy.wake[0].arn]

  metric_query {
    id          = "waiting"
    label       = "Messages that wait while no worker runs"
    expression  = "IF(FILL(running, 0) < 1, visible, 0)"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = local.metrics
    content {
      id = metric_query.key

      metric {
        namespace   = metric_query.value.namespace
        metric_name = metric_query.value.name
        dimensions  = metric_query.value.dimensions
        stat        = metric_query.value.stat
        period      = 60
      }
    }
  }
}
