mock_provider "aws" {
  source          = "../mocks"
  override_during = plan
}

override_resource {
  target          = aws_security_group.load_balancer
  values          = { id = "sg-load-balancer" }
  override_during = plan
}

override_resource {
  target          = aws_security_group.instances
  values          = { id = "sg-instances" }
  override_during = plan
}

override_data {
  target = data.terraform_remote_state.network
  values = {
    outputs = {
      vpc_id             = "vpc-1"
      public_subnet_ids  = ["subnet-public-a", "subnet-public-b"]
      private_subnet_ids = ["subnet-private-a", "subnet-private-b"]
    }
  }
}

variables {
  environment  = "test"
  state_bucket = "emails-test-state"
  ami          = "al2023-ami-ecs-hvm-2023.0.20260901-kernel-6.1-x86_64"

  allow_plain_http = true
}

run "one_instance_more_than_tasks" {
  command = plan

  variables {
    api_tasks            = 3
    additional_instances = 5
  }

  assert {
    condition     = aws_autoscaling_group.this.min_size == 4 && output.instances == 4 && output.api_tasks == 3
    error_message = "There is always an instance to start a new task on."
  }

  assert {
    condition     = alltrue([for each in [aws_launch_template.this, aws_security_group.instances, aws_security_group.load_balancer] : endswith(each.name_prefix, "-")])
    error_message = "What cannot be changed in place has room for another beside it while it is replaced."
  }

  assert {
    condition     = aws_autoscaling_group.this.max_size == 9
    error_message = "ECS may add instances for workers."
  }

  assert {
    condition     = aws_autoscaling_group.this.vpc_zone_identifier == toset(["subnet-private-a", "subnet-private-b"])
    error_message = "Instances are in the private subnets of both zones."
  }
}

run "instances_end_only_when_drained" {
  command = plan

  assert {
    condition     = one(aws_ecs_capacity_provider.this.auto_scaling_group_provider).managed_draining == "ENABLED"
    error_message = "ECS moves the tasks before an instance ends."
  }

  assert {
    condition     = one(aws_ecs_capacity_provider.this.auto_scaling_group_provider).managed_termination_protection == "ENABLED" && aws_autoscaling_group.this.protect_from_scale_in
    error_message = "An instance that has tasks is not chosen to end."
  }

  assert {
    condition     = one(one(aws_autoscaling_group.this.instance_refresh).preferences).scale_in_protected_instances == "Refresh" && one(one(aws_autoscaling_group.this.instance_refresh).preferences).min_healthy_percentage == 100
    error_message = "A refresh replaces protected instances too, and never goes below what is there."
  }

  assert {
    condition     = contains([for tag in aws_autoscaling_group.this.tag : tag.key], "AmazonECSManaged")
    error_message = "ECS sets this tag; left out, every plan would take it away."
  }
}

run "an_instance" {
  command = plan

  assert {
    condition     = one(aws_launch_template.this.metadata_options).http_tokens == "required" && one(aws_launch_template.this.metadata_options).http_put_response_hop_limit == 1
    error_message = "IMDSv2, and not for containers."
  }

  assert {
    condition     = tobool(one(one(aws_launch_template.this.block_device_mappings).ebs).encrypted)
    error_message = "The volume is encrypted."
  }

  assert {
    condition     = strcontains(base64decode(aws_launch_template.this.user_data), "\nECS_CLUSTER=emails-test\n") && startswith(base64decode(aws_launch_template.this.user_data), "#!/bin/bash\n")
    error_message = "The agent is told its cluster."
  }

  assert {
    condition     = strcontains(base64decode(aws_launch_template.this.user_data), "\nECS_IMAGE_PULL_BEHAVIOR=once\n")
    error_message = "The agent removes images that no task uses any more."
  }

  assert {
    condition     = data.aws_ssm_parameter.ami.name == "/aws/service/ecs/optimized-ami/amazon-linux-2023/al2023-ami-ecs-hvm-2023.0.20260901-kernel-6.1-x86_64/image_id"
    error_message = "The very AMI that was asked for."
  }

  assert {
    condition     = one(aws_launch_template.this.credit_specification).cpu_credits == "unlimited"
    error_message = "Health checks do not fail for want of credits."
  }

  assert {
    condition = alltrue([
      for statement in data.aws_iam_policy_document.no_parameters.statement :
      statement.effect == "Deny" && statement.actions == toset(["ssm:GetParameter*"]) && statement.resources == toset(["arn:aws:ssm:*:*:parameter/emails/*"])
    ])
    error_message = "Whoever is on an instance does not read the token."
  }

  assert {
    condition     = output.room == { cpu = 1024, memory = 896 }
    error_message = "A task of the API and a worker fit beside each other."
  }

  assert {
    condition     = aws_launch_template.this.key_name == null && aws_launch_template.this.image_id == "ami-0123456789abcdef0"
    error_message = "No SSH, and the AMI that the parameter names."
  }

  assert {
    condition     = toset(values(aws_iam_role_policy_attachment.instances)[*].policy_arn) == toset(["arn:aws:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role", "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"])
    error_message = "The agent's policy and the one for sessions, and no other."
  }

  assert {
    condition     = one(aws_ecs_cluster.this.setting).value == "enabled"
    error_message = "Container Insights are on."
  }
}

run "nothing_comes_in_but_through_the_load_balancer" {
  command = plan

  assert {
    condition     = [for rule in values(aws_vpc_security_group_ingress_rule.clients) : [rule.security_group_id, rule.cidr_ipv4, rule.from_port, rule.to_port]] == [["sg-load-balancer", "0.0.0.0/0", 80, 80]]
    error_message = "The world reaches the load balancer, on its port."
  }

  assert {
    condition = alltrue([
      aws_vpc_security_group_ingress_rule.instances.security_group_id == "sg-instances",
      aws_vpc_security_group_ingress_rule.instances.referenced_security_group_id == "sg-load-balancer",
      aws_vpc_security_group_ingress_rule.instances.cidr_ipv4 == null,
      aws_vpc_security_group_ingress_rule.instances.from_port == 8080,
      aws_vpc_security_group_ingress_rule.instances.to_port == 8080,
    ])
    error_message = "The load balancer reaches the instances, on the API's port."
  }

  assert {
    condition     = aws_vpc_security_group_egress_rule.load_balancer.referenced_security_group_id == "sg-instances" && aws_vpc_security_group_egress_rule.load_balancer.cidr_ipv4 == null
    error_message = "The load balancer goes nowhere else."
  }

  assert {
    condition     = aws_vpc_security_group_egress_rule.instances.from_port == 443 && aws_vpc_security_group_egress_rule.instances.to_port == 443
    error_message = "Instances speak TLS only."
  }
}

run "the_load_balancer" {
  command = plan

  assert {
    condition     = one(aws_elb.this.health_check).target == "HTTP:8080/health"
    error_message = "It asks whether the API is healthy."
  }

  assert {
    condition     = one(aws_elb.this.health_check).timeout < one(aws_elb.this.health_check).interval
    error_message = "AWS wants a timeout below the interval."
  }

  assert {
    condition     = output.unhealthy_after_seconds >= one(aws_elb.this.health_check).interval * one(aws_elb.this.health_check).unhealthy_threshold + one(aws_elb.this.health_check).timeout
    error_message = "What the API takes for its drain covers the worst case."
  }

  assert {
    condition     = aws_elb.this.connection_draining && aws_elb.this.connection_draining_timeout >= 20 && aws_elb.this.cross_zone_load_balancing
    error_message = "What is under way is finished, and both zones share the load."
  }

  assert {
    condition     = one(aws_elb.this.listener).lb_protocol == "http" && one(aws_elb.this.listener).lb_port == 80 && output.url == "http://balancer.eu-central-1.elb.amazonaws.com"
    error_message = "HTTP without a certificate."
  }

  assert {
    condition     = length(aws_elb.this.access_logs) == 0 && length(module.access_logs) == 0
    error_message = "No access logs unless they are asked for."
  }
}

run "https_and_access_logs" {
  command = plan

  variables {
    allow_plain_http = false
    certificate_arn  = "arn:aws:acm:eu-central-1:123456789012:certificate/1"
    domain_name      = "emails.example.com"
    hosted_zone_id   = "Z0123456789"
    access_logs      = true
    client_cidrs     = ["192.0.2.0/24"]
  }

  assert {
    condition     = one(aws_elb.this.listener).lb_protocol == "https" && one(aws_elb.this.listener).lb_port == 443 && output.url == "https://emails.example.com"
    error_message = "With a certificate it is HTTPS, and nothing else, under the name that the certificate is for."
  }

  assert {
    condition     = aws_route53_record.this[0].name == "emails.example.com" && one(aws_route53_record.this[0].alias).name == "balancer.eu-central-1.elb.amazonaws.com"
    error_message = "The name leads to the load balancer."
  }

  assert {
    condition     = [for rule in values(aws_vpc_security_group_ingress_rule.clients) : [rule.cidr_ipv4, rule.from_port]] == [["192.0.2.0/24", 443]]
    error_message = "Only these clients, only on this port."
  }

  assert {
    condition     = one(one(aws_load_balancer_policy.tls).policy_attribute).value == "ELBSecurityPolicy-TLS-1-2-2017-01"
    error_message = "TLS 1.2."
  }

  assert {
    condition     = one(data.aws_iam_policy_document.access_logs[0].statement).resources == toset(["arn:aws:s3:::emails-test-access-logs-123456789012/AWSLogs/123456789012/*"])
    error_message = "The load balancer may write its logs, and nothing else."
  }

  assert {
    condition     = one(one(data.aws_iam_policy_document.access_logs[0].statement).principals).identifiers == toset(["logdelivery.elasticloadbalancing.amazonaws.com"])
    error_message = "As the service that it is, in every region."
  }
}

run "a_token_in_the_open_is_refused" {
  command = plan

  variables {
    allow_plain_http = false
  }

  expect_failures = [var.certificate_arn]
}

run "a_certificate_without_its_name_is_refused" {
  command = plan

  variables {
    certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/1"
  }

  expect_failures = [var.certificate_arn]
}

run "what_is_kept_has_its_ami_pinned" {
  command = plan

  variables {
    ami = "recommended"
  }

  expect_failures = [var.ami]
}

run "instances_that_cannot_run_the_images_are_refused" {
  command = plan

  variables {
    instance_type = "a1.large"
  }

  override_data {
    target = data.aws_ec2_instance_type.this
    values = {
      supported_architectures = ["arm64"]
    }
  }

  expect_failures = [aws_launch_template.this]
}

run "wrong_variables_are_refused" {
  command = plan

  variables {
    name                      = "fargate"
    environment               = "p"
    state_bucket              = "No"
    api_tasks                 = 0
    additional_instances      = -1
    instance_type             = "small"
    ami                       = "al2023-ami-ecs-hvm-2023.0.20260901-kernel-6.1-arm64"
    domain_name               = "Emails"
    root_volume_gigabytes     = 8
    client_cidrs              = []
    access_log_retention_days = 0
  }

  expect_failures = [
    var.name,
    var.environment,
    var.state_bucket,
    var.api_tasks,
    var.additional_instances,
    var.instance_type,
    var.ami,
    var.domain_name,
    var.root_volume_gigabytes,
    var.client_cidrs,
    var.access_log_retention_days,
  ]
}

run "what_is_no_certificate_and_no_zone_is_refused" {
  command = plan

  variables {
    domain_name     = "emails.example.com"
    certificate_arn = "certificate"
    hosted_zone_id  = "example.com"
  }

  expect_failures = [var.certificate_arn, var.hosted_zone_id]
}
