"""The services' own code under virtual time, in one thread, on one seed."""
