"""The emulated AWS: LocalStack, what is created in it, and the relay through which the services reach it."""
