output "url" {
  description = "Where clients publish and ask: by the domain name, or by the load balancer's own where there is none."
  value       = "${local.listener.protocol}://${coalesce(var.domain_name, aws_elb.this.dns_name)}"
}

output "load_balancer_name" {
  description = "Name of the Classic ELB."
  value       = aws_elb.this.name
}

output "load_balancer_dns_name" {
  description = "DNS name of the Classic ELB, for a name of your own."
  value       = aws_elb.this.dns_name
}

output "load_balancer_zone_id" {
  description = "Hosted zone of the Classic ELB, for an alias record."
  value       = aws_elb.this.zone_id
}

output "idle_timeout_seconds" {
  description = "After how long the load balancer closes an idle connection; the API's keep-alive must be longer."
  value       = local.idle_timeout
}

output "drain_seconds" {
  description = "How long the load balancer may take to finish what an instance has in hand."
  value       = aws_elb.this.connection_draining_timeout
}

output "unhealthy_after_seconds" {
  description = "How long the load balancer may take to turn away from an instance that fails its health check."
  value       = local.health_check.interval * local.health_check.unhealthy_threshold + local.health_check.timeout
}

output "api_port" {
  description = "Port of the API on every instance."
  value       = local.api_port
}

output "api_tasks" {
  description = "How many tasks of the API the cluster is sized for."
  value       = var.api_tasks
}

output "instances" {
  description = "How many instances there are at least: one more than tasks of the API."
  value       = local.instances
}

output "instances_at_most" {
  description = "How many instances there are at most."
  value       = aws_autoscaling_group.this.max_size
}

output "room" {
  description = "What a task may take of an instance, in CPU units and MiB: half, since one of the API and one worker share it."
  value = {
    cpu    = data.aws_ec2_instance_type.this.default_vcpus * 1024 / 2
    memory = floor((data.aws_ec2_instance_type.this.memory_size - local.system_memory) / 2)
  }
}

output "cluster_name" {
  description = "Name of the ECS cluster."
  value       = aws_ecs_cluster.this.name
}

output "cluster_arn" {
  description = "ARN of the ECS cluster."
  value       = aws_ecs_cluster.this.arn
}

output "capacity_provider" {
  description = "Name of the capacity provider. Known once the cluster has it."
  value       = aws_ecs_capacity_provider.this.name
  depends_on  = [aws_ecs_cluster_capacity_providers.this]
}

output "auto_scaling_group" {
  description = "Name of the Auto Scaling group."
  value       = aws_autoscaling_group.this.name
}
