# disposable = true   # lets `terraform destroy` take the states along
