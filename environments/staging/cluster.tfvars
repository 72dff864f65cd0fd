disposable         = true
ami                = "recommended"
allow_plain_http   = true
api_tasks          = 1
container_insights = false
