"""The emulated AWS: LocalStack, what is created in it, and the gateway through which the services reach it."""
