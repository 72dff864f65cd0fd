output "vpc_id" {
  description = "Id of the VPC."
  value       = module.vpc.vpc_id
}

output "public_subnet_ids" {
  description = "Ids of the public subnets, one in each zone: for the load balancer."
  value       = module.vpc.public_subnets
}

output "private_subnet_ids" {
  description = "Ids of the private subnets, one in each zone: for the instances."
  value       = module.vpc.private_subnets
}

output "nat_public_ips" {
  description = "Addresses from which the instances are seen by the world."
  value       = module.vpc.nat_public_ips
}
