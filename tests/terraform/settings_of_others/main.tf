# Settings that other people's projects have, and that ours do not.

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
  }
}

provider "aws" {
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  s3_use_path_style           = true
}

variable "spot_weight" {
  type    = number
  default = 2
}

data "aws_ssm_parameter" "image" {
  name = "/aws/service/ecs/optimized-ami/amazon-linux-2/recommended/image_id"
}

data "aws_availability_zones" "all" {}

resource "aws_vpc" "this" {
  cidr_block = "10.7.0.0/16"
}

resource "aws_subnet" "this" {
  vpc_id            = aws_vpc.this.id
  cidr_block        = "10.7.1.0/24"
  availability_zone = data.aws_availability_zones.all.names[0]
}

resource "aws_launch_template" "this" {
  name          = "others"
  image_id      = data.aws_ssm_parameter.image.value
  instance_type = "t3.small"
}

resource "aws_autoscaling_group" "this" {
  name                  = "others"
  min_size              = 0
  max_size              = 4
  desired_capacity      = 0
  vpc_zone_identifier   = [aws_subnet.this.id]
  max_instance_lifetime = 604800
  capacity_rebalance    = true
  default_cooldown      = 120

  mixed_instances_policy {
    instances_distribution {
      on_demand_base_capacity                  = 1
      on_demand_percentage_above_base_capacity = 25
      spot_allocation_strategy                 = "capacity-optimized"
    }

    launch_template {
      launch_template_specification {
        launch_template_id = aws_launch_template.this.id
        version            = "$Latest"
      }

      override {
        instance_type     = "t3.small"
        weighted_capacity = "1"
      }

      override {
        instance_type     = "t3.large"
        weighted_capacity = var.spot_weight
      }
    }
  }
}

resource "aws_autoscaling_policy" "tracking" {
  name                      = "tracking"
  autoscaling_group_name    = aws_autoscaling_group.this.name
  policy_type               = "TargetTrackingScaling"
  estimated_instance_warmup = 200

  target_tracking_configuration {
    predefined_metric_specification {
      predefined_metric_type = "ASGAverageCPUUtilization"
    }
    target_value     = 60
    disable_scale_in = true
  }
}

resource "aws_autoscaling_policy" "steps" {
  name                    = "steps"
  autoscaling_group_name  = aws_autoscaling_group.this.name
  policy_type             = "StepScaling"
  adjustment_type         = "ChangeInCapacity"
  metric_aggregation_type = "Maximum"

  step_adjustment {
    scaling_adjustment          = 1
    metric_interval_lower_bound = 0
    metric_interval_upper_bound = 10
  }

  step_adjustment {
    scaling_adjustment          = 2
    metric_interval_lower_bound = 10
  }
}

resource "aws_autoscaling_policy" "simple" {
  name                   = "simple"
  autoscaling_group_name = aws_autoscaling_group.this.name
  adjustment_type        = "PercentChangeInCapacity"
  scaling_adjustment     = -10
  cooldown               = 60

  min_adjustment_magnitude = 2
}

resource "aws_autoscaling_lifecycle_hook" "drain" {
  name                   = "drain"
  autoscaling_group_name = aws_autoscaling_group.this.name
  lifecycle_transition   = "autoscaling:EC2_INSTANCE_TERMINATING"
  default_result         = "CONTINUE"
  heartbeat_timeout      = 300
  notification_metadata  = "for whoever drains"
}

resource "aws_sns_topic" "alarms" {
  name = "others"
}

resource "aws_cloudwatch_metric_alarm" "busy" {
  alarm_name          = "others-busy"
  namespace           = "AWS/EC2"
  metric_name         = "CPUUtilization"
  statistic           = "Average"
  period              = 60
  evaluation_periods  = 2
  threshold           = 80
  comparison_operator = "GreaterThanThreshold"
  alarm_actions       = [aws_autoscaling_policy.steps.arn, aws_sns_topic.alarms.arn]
}

resource "aws_ecs_account_setting_default" "long" {
  name  = "containerInsights"
  value = "enabled"
}
