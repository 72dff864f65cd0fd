resource "aws_ecr_repository" "web" {
  name         = "board/web"
  force_delete = true
}

resource "aws_cloudwatch_log_group" "board" {
  name              = "/ecs/board"
  retention_in_days = 7
}

resource "aws_ecs_cluster" "board" {
  name = "board"
}

locals {
  image = "${aws_ecr_repository.web.repository_url}:latest"
  logs = {
    logDriver = "awslogs"
    options = {
      awslogs-group         = aws_cloudwatch_log_group.board.name
      awslogs-region        = "eu-central-1"
      awslogs-stream-prefix = "board"
    }
  }
}

# Two containers: the web, at a port of its instance that nobody chose, and a clock beside it that the web can do without.
resource "aws_ecs_task_definition" "web" {
  family = "board-web"
  container_definitions = jsonencode([
    {
      name             = "web"
      image            = local.image
      memory           = 96
      command          = ["web"]
      portMappings     = [{ containerPort = 8000, hostPort = 0, protocol = "tcp" }]
      environment      = [{ name = "RELEASE", value = var.release }]
      logConfiguration = local.logs
    },
    {
      name             = "clock"
      image            = local.image
      memory           = 32
      essential        = false
      command          = ["clock"]
      logConfiguration = local.logs
    },
  ])
}

resource "aws_ecs_service" "web" {
  name                              = "web"
  cluster                           = aws_ecs_cluster.board.id
  task_definition                   = aws_ecs_task_definition.web.arn
  desired_count                     = 3
  launch_type                       = "EC2"
  health_check_grace_period_seconds = 30

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.web.arn
    container_name   = "web"
    container_port   = 8000
  }

  # A target group without a listener cannot have a service.
  depends_on = [aws_lb_listener.http, aws_autoscaling_group.instances]
}
