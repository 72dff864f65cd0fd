repository = "OWNER/NAME" # yours
