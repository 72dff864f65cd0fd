# What is one for the whole account is in an environment of its own: the images, and GitHub's identity provider.
name        = "emails"
environment = "shared"
