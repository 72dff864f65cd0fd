# The ECS-optimised AMI, which `python -m release amis` raises; a newer one replaces the instances one after the other.
ami = "al2023-ami-ecs-hvm-2023.0.20260901-kernel-6.1-x86_64"

# The name of the load balancer, and the certificate for it in ACM. Without them a plan is refused.
# domain_name     = "emails.example.com"
# certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/..."
# hosted_zone_id  = "Z..." # where the name is to be made an alias of the load balancer

# client_cidrs = ["192.0.2.0/24"] # who may reach the load balancer; without it, the world
