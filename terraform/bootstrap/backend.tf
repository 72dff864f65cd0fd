# The state of the bucket of states is in it, but for the time before there is one: `environments/run` moves it.
terraform {
  backend "s3" {
    key          = "bootstrap/terraform.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}
