locals {
  api_port = 8080
  listener = var.certificate_arn == null ? { port = 80, protocol = "http" } : { port = 443, protocol = "https" }

  idle_timeout = 60
  health_check = { interval = 5, timeout = 3, unhealthy_threshold = 2, healthy_threshold = 2 }
}

resource "aws_elb" "this" {
  name            = "${local.name}-api"
  subnets         = local.network.public_subnet_ids
  security_groups = [aws_security_group.load_balancer.id]

  listener {
    lb_port            = local.listener.port
    lb_protocol        = local.listener.protocol
    instance_port      = local.api_port
    instance_protocol  = "http"
    ssl_certificate_id = var.certificate_arn
  }

  health_check {
    target              = "HTTP:${local.api_port}/health"
    interval            = local.health_check.interval
    timeout             = local.health_check.timeout
    unhealthy_threshold = local.health_check.unhealthy_threshold
    healthy_threshold   = local.health_check.healthy_threshold
  }

  # Longer than the API takes for its longest answer, 20 s.
  connection_draining         = true
  connection_draining_timeout = 60
  cross_zone_load_balancing   = true
  idle_timeout                = local.idle_timeout
  desync_mitigation_mode      = "strictest"

  dynamic "access_logs" {
    for_each = module.access_logs
    content {
      bucket   = access_logs.value.name
      interval = 5
    }
  }
}

resource "aws_route53_record" "this" {
  count = var.hosted_zone_id == null ? 0 : 1

  zone_id = var.hosted_zone_id
  name    = var.domain_name
  type    = "A"

  alias {
    name                   = aws_elb.this.dns_name
    zone_id                = aws_elb.this.zone_id
    evaluate_target_health = false
  }
}

# Classic ELB's own default still takes TLS 1.0.
resource "aws_load_balancer_policy" "tls" {
  count = var.certificate_arn == null ? 0 : 1

  load_balancer_name = aws_elb.this.name
  policy_name        = "tls-1-2"
  policy_type_name   = "SSLNegotiationPolicyType"

  policy_attribute {
    name  = "Reference-Security-Policy"
    value = "ELBSecurityPolicy-TLS-1-2-2017-01"
  }
}

resource "aws_load_balancer_listener_policy" "tls" {
  count = var.certificate_arn == null ? 0 : 1

  load_balancer_name = aws_elb.this.name
  load_balancer_port = local.listener.port
  policy_names       = [aws_load_balancer_policy.tls[0].policy_name]
}

data "aws_caller_identity" "current" {}

data "aws_iam_policy_document" "access_logs" {
  count = var.access_logs ? 1 : 0

  statement {
    sid       = "LoadBalancer"
    actions   = ["s3:PutObject"]
    resources = ["arn:${data.aws_partition.current.partition}:s3:::${local.access_logs_bucket}/AWSLogs/${data.aws_caller_identity.current.account_id}/*"]

    principals {
      type        = "Service"
      identifiers = ["logdelivery.elasticloadbalancing.amazonaws.com"]
    }
  }
}

locals {
  access_logs_bucket = "${local.name}-access-logs-${data.aws_caller_identity.current.account_id}"
}

module "access_logs" {
  source = "../modules/bucket"
  count  = var.access_logs ? 1 : 0

  name             = local.access_logs_bucket
  disposable       = var.disposable
  life_cycle       = { noncurrent_version_days = 1, expiration_days = var.access_log_retention_days }
  policy_documents = data.aws_iam_policy_document.access_logs[*].json
}
