"""This machine: child processes, containers, commands, waiting, and that nothing is left of a run."""
