"""The driver of the cluster: it takes the service scheduler's steps, and has the desired state for agents and edge."""
