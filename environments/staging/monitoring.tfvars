# emails = ["on-call@example.com"] # who hears of alarms
