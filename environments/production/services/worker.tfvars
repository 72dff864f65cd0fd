# min_tasks = 1
# max_tasks = 4
