"""ECR's registry, as Docker sees it: https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html

Three parts have a share in an image. The control plane decides: which repositories there are, which images and tags are
in them, and who may log in. A standard registry in a container, the storage, keeps the bytes, under
`ACCOUNT/REGION/NAME` for the repository NAME. The front is the one that Docker talks to: it checks the token, asks the
control plane, and sends Docker to the storage for the bytes, by redirects, as ECR itself does.
"""
