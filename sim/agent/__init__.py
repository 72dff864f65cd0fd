"""The ECS agent of every container instance: runs its tasks as containers or processes."""
