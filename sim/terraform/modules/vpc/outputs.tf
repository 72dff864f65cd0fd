output "vpc_id" {
  description = "Id of the VPC."
  value       = aws_vpc.this.id
}

output "public_subnets" {
  description = "Ids of the public subnets."
  value       = aws_subnet.public[*].id
}

output "private_subnets" {
  description = "Ids of the private subnets."
  value       = aws_subnet.private[*].id
}

output "private_route_table_ids" {
  description = "Ids of the private subnets' route tables."
  value       = aws_route_table.private[*].id
}

output "nat_public_ips" {
  description = "Addresses of the NAT gateways."
  value       = aws_eip.nat[*].public_ip
}
