"""Where a part of the stack runs: as a child process."""
