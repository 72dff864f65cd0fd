"""Auto Scaling: instance refreshes."""
