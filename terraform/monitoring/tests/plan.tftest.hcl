mock_provider "aws" {
  source          = "../mocks"
  override_during = plan
}

override_data {
  target = data.terraform_remote_state.this
  values = {
    outputs = {
      api_tasks              = 2
      bucket                 = "emails-test-emails"
      capacity_provider      = "emails-test"
      cluster_arn            = "arn:aws:ecs:eu-central-1:123456789012:cluster/emails-test"
      cluster_name           = "emails-test"
      dead_letter_queue_name = "emails-test-emails-dead-letters"
      deployment_alarm       = "emails-test-deployment"
      image                  = "repository:1.2.3"
      load_balancer_name     = "emails-test-api"
      min_tasks              = 1
      queue_name             = "emails-test-emails"
      service_name           = "emails-test-service"
    }
  }
}

variables {
  environment  = "test"
  state_bucket = "emails-test-state"
  emails       = ["on-call@example.com"]
}

run "every_alarm_reaches_somebody" {
  command = plan

  assert {
    condition = alltrue([
      for alarm in concat(values(aws_cloudwatch_metric_alarm.this), [aws_cloudwatch_composite_alarm.services]) :
      alarm.alarm_actions == toset([aws_sns_topic.alarms.arn]) && alarm.ok_actions == toset([aws_sns_topic.alarms.arn])
    ])
    error_message = "Of an alarm and of its end."
  }

  assert {
    condition     = aws_sns_topic_subscription.email["on-call@example.com"].topic_arn == aws_sns_topic.alarms.arn && aws_cloudwatch_event_target.deployment_failed.arn == aws_sns_topic.alarms.arn
    error_message = "People hear of alarms, and of deployments that failed."
  }

  assert {
    condition     = aws_cloudwatch_composite_alarm.services.alarm_rule == "ALARM(\"emails-test-deployment\") OR ALARM(\"emails-test-deployment\")"
    error_message = "Also of those that take a deployment back."
  }
}

run "where_nothing_can_be_measured" {
  command = plan

  assert {
    condition     = { for name, alarm in aws_cloudwatch_metric_alarm.this : name => alarm.treat_missing_data if alarm.treat_missing_data != "notBreaching" } == { healthy-instances = "breaching", workers = "breaching" }
    error_message = "No instance and no worker at all is no data."
  }
}

# The outputs of services that were applied without an image.
run "before_the_first_image" {
  command = plan

  override_data {
    target = data.terraform_remote_state.this
    values = {
      outputs = {
        api_tasks              = 2
        bucket                 = "emails-test-emails"
        capacity_provider      = "emails-test"
        cluster_arn            = "arn:aws:ecs:eu-central-1:123456789012:cluster/emails-test"
        cluster_name           = "emails-test"
        dead_letter_queue_name = "emails-test-emails-dead-letters"
        deployment_alarm       = "emails-test-deployment"
        load_balancer_name     = "emails-test-api"
        min_tasks              = 1
        queue_name             = "emails-test-emails"
        service_name           = "emails-test-service"
      }
    }
  }

  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : alarm.treat_missing_data == "notBreaching"])
    error_message = "Nobody is to be told that nothing runs yet."
  }
}

run "the_dashboard_follows_an_e_mail" {
  command = plan

  assert {
    condition     = [for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : split(":", widget.properties.markdown)[0] if widget.type == "text"] == ["## 1. Load balancer", "## 2. API", "## 3. Queue", "## 4. Workers", "## 5. Bucket"]
    error_message = "From the load balancer to the bucket."
  }
}

run "wrong_variables_are_refused" {
  command = plan

  variables {
    name            = "a"
    environment     = "1st"
    state_bucket    = "-"
    emails          = ["on-call"]
    latency_seconds = 60
    age_seconds     = 60
  }

  expect_failures = [
    var.name,
    var.environment,
    var.state_bucket,
    var.emails,
    var.latency_seconds,
    var.age_seconds,
  ]
}
