"""CloudWatch: alarms that keep the tags they are made with."""
