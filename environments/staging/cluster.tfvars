disposable         = true
api_tasks          = 1
container_insights = false
