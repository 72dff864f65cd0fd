data "aws_ssm_parameter" "ami" {
  name = "/aws/service/ecs/optimized-ami/amazon-linux-2023/${var.ami}/image_id"
}

data "aws_ec2_instance_type" "this" {
  instance_type = var.instance_type
}

locals {
  # What the agent does not register (MiB): the kernel's share, and the agent itself.
  system_memory = 256
}

data "aws_default_tags" "current" {}

resource "aws_launch_template" "this" {
  name_prefix   = "${local.name}-"
  image_id      = nonsensitive(data.aws_ssm_parameter.ami.value)
  instance_type = var.instance_type

  update_default_version = true
  vpc_security_group_ids = [aws_security_group.instances.id]

  iam_instance_profile {
    arn = aws_iam_instance_profile.instances.arn
  }

  # One hop: the agent on the host reaches the instance's credentials, a container behind the bridge does not.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  monitoring {
    enabled = true
  }

  # An instance that has used up its credits is throttled to a fifth, and fails its health checks: better to pay for the peak.
  dynamic "credit_specification" {
    for_each = data.aws_ec2_instance_type.this.burstable_performance_supported ? ["unlimited"] : []
    content {
      cpu_credits = credit_specification.value
    }
  }

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      volume_size           = var.root_volume_gigabytes
      volume_type           = "gp3"
      encrypted             = true
      delete_on_termination = true
    }
  }

  # A digest names one image for good, so it is pulled once. With `prefer-cached` the agent would never remove an image.
  user_data = base64encode(<<-EOT
    #!/bin/bash
    cat >> /etc/ecs/ecs.config <<'CONFIG'
    ECS_CLUSTER=${aws_ecs_cluster.this.name}
    ECS_IMAGE_PULL_BEHAVIOR=once
    CONFIG
  EOT
  )

  # The provider's default tags stop at the template.
  dynamic "tag_specifications" {
    for_each = toset(["instance", "volume"])
    content {
      resource_type = tag_specifications.value
      tags          = merge(data.aws_default_tags.current.tags, { Name = local.name })
    }
  }

  lifecycle {
    create_before_destroy = true

    precondition {
      condition     = contains(data.aws_ec2_instance_type.this.supported_architectures, "x86_64")
      error_message = "${var.instance_type} has no x86-64 processor, which the images and the AMI are made for. Choose another instance_type, such as t3.small."
    }
  }
}

resource "aws_autoscaling_group" "this" {
  name                = local.name
  min_size            = local.instances
  max_size            = local.instances + var.additional_instances
  vpc_zone_identifier = local.network.private_subnet_ids

  # The load balancer's word would replace an instance whose task fails; that is for ECS to do.
  health_check_type = "EC2"

  # Managed termination protection asks for it.
  protect_from_scale_in = true
  force_delete          = var.disposable

  launch_template {
    id      = aws_launch_template.this.id
    version = aws_launch_template.this.latest_version
  }

  instance_refresh {
    strategy = "Rolling"

    preferences {
      # New ones come before old ones go. Unless told so, a refresh passes over protected instances, here all.
      min_healthy_percentage       = 100
      max_healthy_percentage       = 150
      scale_in_protected_instances = "Refresh"
      instance_warmup              = 120
    }
  }

  # ECS sets it on the groups of its capacity providers.
  tag {
    key                 = "AmazonECSManaged"
    value               = "true"
    propagate_at_launch = true
  }

  dynamic "tag" {
    for_each = merge(data.aws_default_tags.current.tags, { Name = local.name })
    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = false
    }
  }
}

data "aws_iam_policy_document" "instances_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "instances" {
  name               = "${local.name}-instances"
  description        = "The ECS agent of the container instances, and sessions on them."
  assume_role_policy = data.aws_iam_policy_document.instances_trust.json
}

resource "aws_iam_role_policy_attachment" "instances" {
  # Unused locally (AmazonSSMManagedInstanceCore): for a person's session on an instance, and no agent of SSM runs here.
  for_each = toset([
    "service-role/AmazonEC2ContainerServiceforEC2Role",
    "AmazonSSMManagedInstanceCore",
  ])

  role       = aws_iam_role.instances.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/${each.value}"
}

# AWS's policy for sessions reads every parameter. The token is for the API's task alone.
data "aws_iam_policy_document" "no_parameters" {
  statement {
    sid       = "NotThePipelines"
    effect    = "Deny"
    actions   = ["ssm:GetParameter*"]
    resources = ["arn:${data.aws_partition.current.partition}:ssm:*:*:parameter/${var.name}/*"]
  }
}

resource "aws_iam_role_policy" "no_parameters" {
  name   = "no-parameters"
  role   = aws_iam_role.instances.id
  policy = data.aws_iam_policy_document.no_parameters.json
}

resource "aws_iam_instance_profile" "instances" {
  name = "${local.name}-instances"
  role = aws_iam_role.instances.name
}
