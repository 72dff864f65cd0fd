data "aws_ssm_parameter" "image" {
  name = "/aws/service/ecs/optimized-ami/amazon-linux-2/recommended/image_id"
}

# Whatever ports the agents choose.
resource "aws_security_group" "instances" {
  name   = "board-instances"
  vpc_id = aws_vpc.board.id

  ingress {
    from_port       = 32768
    to_port         = 60999
    protocol        = "tcp"
    security_groups = [aws_security_group.front.id]
  }

  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_iam_role" "instance" {
  name = "board-instance"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ec2.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "instance" {
  role       = aws_iam_role.instance.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role"
}

resource "aws_iam_instance_profile" "instance" {
  name = "board-instance"
  role = aws_iam_role.instance.name
}

resource "aws_launch_template" "instance" {
  name_prefix            = "board-"
  image_id               = nonsensitive(data.aws_ssm_parameter.image.value)
  instance_type          = "t3.small"
  vpc_security_group_ids = [aws_security_group.instances.id]
  user_data              = base64encode("#!/bin/bash\necho ECS_CLUSTER=${aws_ecs_cluster.board.name} >> /etc/ecs/ecs.config\n")

  iam_instance_profile {
    name = aws_iam_instance_profile.instance.name
  }
}

resource "aws_autoscaling_group" "instances" {
  name                = "board"
  vpc_zone_identifier = aws_subnet.public[*].id
  min_size            = 2
  max_size            = 3
  desired_capacity    = 2

  launch_template {
    id      = aws_launch_template.instance.id
    version = aws_launch_template.instance.latest_version
  }

  # An instance that has lost its permissions cannot report that its tasks have ended: so they go after it.
  depends_on = [aws_iam_role_policy_attachment.instance]
}
