locals {
  load_balancer = { LoadBalancerName = local.cluster.load_balancer_name }
  worker_tasks  = { ClusterName = local.cluster.cluster_name, ServiceName = local.worker.service_name }

  # Without an image nothing runs, and nobody is to be told of it. A state has no output that is null.
  running = { api = try(local.api.image, null) != null, worker = try(local.worker.image, null) != null }

  # Each breaches in so many of its last minutes. Where there is no data all is well, unless it says otherwise.
  alarms = {
    healthy-instances = {
      why     = "Fewer instances answer the load balancer than there are tasks to serve."
      metric  = ["AWS/ELB", "HealthyHostCount", local.load_balancer]
      stat    = "Average"
      is      = "LessThanThreshold"
      limit   = local.cluster.api_tasks
      minutes = [3, 3]
      missing = local.running.api ? "breaching" : "notBreaching"
    }
    unhealthy-instances = {
      why     = "An instance with a task of the API fails its health check for minutes."
      metric  = ["AWS/ELB", "UnHealthyHostCount", local.load_balancer]
      stat    = "Maximum"
      limit   = 0
      minutes = [5, 5]
    }
    latency = {
      why     = "Of 100 requests one or more takes longer than ${var.latency_seconds} s."
      metric  = ["AWS/ELB", "Latency", local.load_balancer]
      stat    = "p99"
      limit   = var.latency_seconds
      minutes = [3, 5]
    }
    spillover = {
      why     = "The load balancer turns requests away: its queue for the API is full."
      metric  = ["AWS/ELB", "SpilloverCount", local.load_balancer]
      stat    = "Sum"
      limit   = 0
      minutes = [1, 1]
    }
    oldest-message = {
      why     = "The oldest message waits for more than ${var.age_seconds} s: the workers do not keep up, or store nothing."
      metric  = ["AWS/SQS", "ApproximateAgeOfOldestMessage", { QueueName = local.messaging.queue_name }]
      stat    = "Maximum"
      limit   = var.age_seconds
      minutes = [2, 2]
    }
    dead-letters = {
      why     = "A message could not be stored and is in the dead-letter queue, where it waits for somebody to look."
      metric  = ["AWS/SQS", "ApproximateNumberOfMessagesVisible", { QueueName = local.messaging.dead_letter_queue_name }]
      stat    = "Maximum"
      limit   = 0
      minutes = [1, 1]
    }
    workers = {
      why     = "Fewer workers run than should at least."
      metric  = ["AWS/ECS", "CPUUtilization", local.worker_tasks]
      stat    = "SampleCount"
      is      = "LessThanThreshold"
      limit   = local.worker.min_tasks
      minutes = [5, 5]
      missing = local.running.worker && local.worker.min_tasks > 0 ? "breaching" : "notBreaching"
    }
    worker-cpu = {
      why     = "The workers are at the end of their CPU for a quarter of an hour, and no more are started."
      metric  = ["AWS/ECS", "CPUUtilization", local.worker_tasks]
      stat    = "Average"
      limit   = 90
      minutes = [15, 15]
    }
    capacity = {
      why     = "Tasks wait for instances, and for a quarter of an hour none come."
      metric  = ["AWS/ECS/ManagedScaling", "CapacityProviderReservation", { ClusterName = local.cluster.cluster_name, CapacityProviderName = local.cluster.capacity_provider }]
      stat    = "Average"
      limit   = 100
      minutes = [15, 15]
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name        = "${local.name}-${each.key}"
  alarm_description = each.value.why

  namespace          = each.value.metric[0]
  metric_name        = each.value.metric[1]
  dimensions         = each.value.metric[2]
  statistic          = startswith(each.value.stat, "p") ? null : each.value.stat
  extended_statistic = startswith(each.value.stat, "p") ? each.value.stat : null
  period             = 60

  comparison_operator = try(each.value.is, "GreaterThanThreshold")
  threshold           = each.value.limit
  datapoints_to_alarm = each.value.minutes[0]
  evaluation_periods  = each.value.minutes[1]
  treat_missing_data  = try(each.value.missing, "notBreaching")

  alarm_actions = [aws_sns_topic.alarms.arn]
  ok_actions    = [aws_sns_topic.alarms.arn]
}

# Those that take a deployment back, for people.
resource "aws_cloudwatch_composite_alarm" "services" {
  alarm_name        = "${local.name}-services"
  alarm_description = "The API answers with 5xx, or the workers fail to store."
  alarm_rule        = join(" OR ", [for alarm in [local.api.deployment_alarm, local.worker.deployment_alarm] : "ALARM(\"${alarm}\")"])

  alarm_actions = [aws_sns_topic.alarms.arn]
  ok_actions    = [aws_sns_topic.alarms.arn]
}
