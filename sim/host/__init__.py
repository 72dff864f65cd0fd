"""Child processes, containers, commands and waiting on this machine, and the clean-up after a run."""
