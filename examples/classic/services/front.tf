# One load balancer for both services: customers come in on port 80, the shop's own people on port 81.

resource "aws_security_group" "front" {
  name   = "shop-front"
  vpc_id = local.vpc_id

  ingress {
    from_port   = 80
    to_port     = 81
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }

  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_elb" "front" {
  name                = "shop-front"
  subnets             = local.subnet_ids
  security_groups     = [aws_security_group.front.id]
  connection_draining = true

  listener {
    lb_port           = 80
    lb_protocol       = "http"
    instance_port     = 8080
    instance_protocol = "http"
  }

  listener {
    lb_port           = 81
    lb_protocol       = "http"
    instance_port     = 8081
    instance_protocol = "http"
  }

  health_check {
    target              = "HTTP:8080/"
    interval            = 5
    timeout             = 3
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }
}

output "url" {
  value = "http://${aws_elb.front.dns_name}"
}
