"""The `sim` command, a module for each group of commands."""
