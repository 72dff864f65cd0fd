"""What ships: the API, the worker, and the pipeline they share. Nothing in here knows of `sim`."""
