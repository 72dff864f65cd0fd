"""The parts of `make check` that no existing tool covers."""
