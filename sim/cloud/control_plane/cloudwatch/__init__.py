"""CloudWatch: alarms keep the tags that they are created with."""
