# The bucket of all states. There is none yet when this is applied, so its own state is a local file at first.
data "aws_caller_identity" "current" {}

module "state" {
  source = "../modules/bucket"

  # The account makes it unique: bucket names are shared with all the world.
  name       = "${var.name}-${var.environment}-state-${data.aws_caller_identity.current.account_id}"
  disposable = var.disposable
}
