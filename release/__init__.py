"""From a merge to what runs: what changed, the next version, the image in ECR, the deployment and the way back.

`python -m release COMMAND`, in a workflow and on a laptop alike. It needs Terraform, git, boto3 and nothing of the kit,
so that a pipeline has it in seconds. What decides are functions over values (`sources`, `versions`, `image`,
`stability`); git, Terraform, ECR, ECS and S3 each have a thin module of their name.
"""
