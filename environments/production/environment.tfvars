# What every root of this environment is given.
name        = "emails"
environment = "production"
