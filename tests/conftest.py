"""The kit's own pytest plugin serves the tests of the kit."""
