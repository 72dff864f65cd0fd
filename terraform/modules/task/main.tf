locals {
  # A container's health check runs in its own network and file system, as the image's HEALTHCHECK does.
  health_check = {
    command     = ["CMD", "python", "-m", "services.${var.service}.health"]
    interval    = 5
    timeout     = 3
    retries     = 3
    startPeriod = 30
  }
}

data "aws_region" "current" {}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/ecs/${var.name}"
  retention_in_days = var.log_retention_days
}

resource "aws_ecs_task_definition" "this" {
  count = var.image == null ? 0 : 1

  family                   = var.name
  network_mode             = "bridge"
  requires_compatibilities = ["EC2"]
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn

  # ECS rolls back to the revision before, which it could not if Terraform had deregistered it.
  skip_destroy = true

  # No dockerSecurityOptions: an instance has to claim SELinux or AppArmor to be given such a task. With no capability to
  # gain and no file system to write, no-new-privileges would add little.
  # What is left out, AWS fills in, and the provider compares with that in mind.
  container_definitions = jsonencode([{
    name              = var.service
    image             = var.image
    essential         = true
    cpu               = var.cpu
    memory            = var.memory
    memoryReservation = var.memory
    stopTimeout       = var.stop_timeout_seconds

    user                   = "10001:10001"
    readonlyRootFilesystem = true
    privileged             = false

    linuxParameters = {
      capabilities = { drop = ["ALL"] }
      # As process 1, a service would ignore a SIGTERM that comes before it has said what to do then.
      initProcessEnabled = true
      tmpfs              = [for path in var.tmpfs : { containerPath = path, size = 1, mountOptions = ["noexec", "nosuid", "nodev"] }]
    }

    ulimits      = [{ name = "nofile", softLimit = 65536, hardLimit = 65536 }]
    portMappings = [for port in var.port[*] : { containerPort = port, hostPort = port, protocol = "tcp" }]
    environment  = [for name in sort(keys(var.environment)) : { name = name, value = var.environment[name] }]
    healthCheck  = local.health_check

    # Logs are never worth a request: when CloudWatch is slow, they wait in memory, and the newest are dropped.
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.this.name
        awslogs-region        = data.aws_region.current.name
        awslogs-stream-prefix = var.service
        mode                  = "non-blocking"
        max-buffer-size       = "4m"
      }
    }
  }])
}
