output "url" {
  description = "Where clients publish and ask, by the load balancer's own name."
  value       = "${local.listener.protocol}://${aws_elb.this.dns_name}"
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
