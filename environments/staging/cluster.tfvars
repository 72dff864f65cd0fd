disposable         = true
ami                = "al2023-ami-ecs-hvm-2023.0.20260901-kernel-6.1-x86_64"
allow_plain_http   = true
api_tasks          = 1
container_insights = false
