# The same credentials and region, under another name: a mocked provider, as the tests have it, knows no ephemeral
# resources, and they mock all but this one.
provider "aws" {
  alias = "generator"
}

# Lives while Terraform runs, in no plan and no state.
ephemeral "aws_secretsmanager_random_password" "token" {
  for_each = toset(var.generate_token ? ["generated"] : [])
  provider = aws.generator

  password_length     = 40
  exclude_punctuation = true
}

resource "aws_ssm_parameter" "token" {
  name        = "/${var.name}/${var.environment}/api/token"
  description = "The token that clients of the API must bring"
  type        = "SecureString"

  value_wo         = var.generate_token ? ephemeral.aws_secretsmanager_random_password.token["generated"].random_password : var.token
  value_wo_version = var.token_version
}
