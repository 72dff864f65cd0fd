"""The gateway: every AWS call of the services goes through it to LocalStack.

It injects the faults of a plan, cuts a service off from an AWS service, and writes a line about each call. A request is
read whole before it is forwarded: LocalStack never waits for the rest of one that was cut in half.
"""
