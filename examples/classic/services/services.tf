resource "aws_ecs_cluster" "shop" {
  name = "shop"
}

locals {
  logs = {
    logDriver = "awslogs"
    options = {
      awslogs-group         = aws_cloudwatch_log_group.shop.name
      awslogs-region        = "eu-central-1"
      awslogs-stream-prefix = "shop"
    }
  }
}

# What customers see: a page that asks the container beside it for its words.
resource "aws_ecs_task_definition" "web" {
  family = "shop-web"
  container_definitions = jsonencode([
    {
      name             = "web"
      image            = local.image
      memory           = 96
      command          = ["web"]
      links            = ["words"]
      portMappings     = [{ containerPort = 8000, hostPort = 8080 }]
      environment      = [{ name = "RELEASE", value = var.release }]
      logConfiguration = local.logs
    },
    {
      name             = "words"
      image            = local.image
      memory           = 96
      command          = ["words"]
      environment      = [{ name = "RELEASE", value = var.release }]
      logConfiguration = local.logs
    },
  ])
}

resource "aws_ecs_service" "web" {
  name                               = "web"
  cluster                            = aws_ecs_cluster.shop.id
  task_definition                    = aws_ecs_task_definition.web.arn
  desired_count                      = 2
  deployment_minimum_healthy_percent = 50
  deployment_maximum_percent         = 100

  load_balancer {
    elb_name       = aws_elb.front.name
    container_name = "web"
    container_port = 8000
  }

  depends_on = [aws_autoscaling_group.instances]
}

# What the shop's own people see, on the other listener.
resource "aws_ecs_task_definition" "admin" {
  family = "shop-admin"
  container_definitions = jsonencode([{
    name             = "admin"
    image            = local.image
    memory           = 96
    command          = ["admin"]
    portMappings     = [{ containerPort = 8000, hostPort = 8081 }]
    environment      = [{ name = "RELEASE", value = var.release }]
    logConfiguration = local.logs
  }])
}

resource "aws_ecs_service" "admin" {
  name                               = "admin"
  cluster                            = aws_ecs_cluster.shop.id
  task_definition                    = aws_ecs_task_definition.admin.arn
  desired_count                      = 2
  deployment_minimum_healthy_percent = 50
  deployment_maximum_percent         = 100

  load_balancer {
    elb_name       = aws_elb.front.name
    container_name = "admin"
    container_port = 8000
  }

  depends_on = [aws_autoscaling_group.instances]
}

# On each instance one, whatever its services are.
resource "aws_ecs_task_definition" "watch" {
  family = "shop-watch"
  container_definitions = jsonencode([{
    name             = "watch"
    image            = local.image
    memory           = 64
    command          = ["watch"]
    environment      = [{ name = "RELEASE", value = var.release }]
    logConfiguration = local.logs
  }])
}

resource "aws_ecs_service" "watch" {
  name                = "watch"
  cluster             = aws_ecs_cluster.shop.id
  task_definition     = aws_ecs_task_definition.watch.arn
  scheduling_strategy = "DAEMON"

  depends_on = [aws_autoscaling_group.instances]
}
