"""Simple Queue Service: attributes that were taken away are gone."""
