token_version = 1 # raise it for a new token
