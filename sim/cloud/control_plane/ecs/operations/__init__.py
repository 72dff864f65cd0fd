"""ECS's operations, a module for each noun of the API reference."""
