"""Auto Scaling: groups, the life cycle of their instances, and instance refreshes."""
