output "state_bucket" {
  description = "Bucket of the states: `-backend-config=bucket=` and the variable `state_bucket` of the other roots."
  value       = module.state.name
}
