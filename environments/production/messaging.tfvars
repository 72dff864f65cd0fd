# infrequent_access_days = 90
