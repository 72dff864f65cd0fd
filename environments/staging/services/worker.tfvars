log_retention_days = 7
max_tasks          = 2 # one to an instance, of which a deployment needs one more
