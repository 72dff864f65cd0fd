data "aws_ssm_parameter" "image" {
  name = "/aws/service/ecs/optimized-ami/amazon-linux-2/recommended"
}

resource "aws_security_group" "instances" {
  name   = "shop-instances"
  vpc_id = local.vpc_id

  ingress {
    from_port       = 8080
    to_port         = 8081
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
  name = "shop-instance"
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
  name = "shop-instance"
  role = aws_iam_role.instance.name
}

resource "aws_launch_configuration" "instance" {
  name_prefix          = "shop-"
  image_id             = jsondecode(nonsensitive(data.aws_ssm_parameter.image.value)).image_id
  instance_type        = "t3.small"
  iam_instance_profile = aws_iam_instance_profile.instance.name
  security_groups      = [aws_security_group.instances.id]
  user_data            = "#!/bin/bash\necho ECS_CLUSTER=${aws_ecs_cluster.shop.name} >> /etc/ecs/ecs.config\n"

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_autoscaling_group" "instances" {
  name                 = "shop"
  launch_configuration = aws_launch_configuration.instance.name
  vpc_zone_identifier  = local.subnet_ids
  min_size             = 2
  max_size             = 3
  desired_capacity     = 2

  # An instance that has lost its permissions cannot report that its tasks have ended: so they go after it.
  depends_on = [aws_iam_role_policy_attachment.instance]
}
