"""The gateway: what every AWS call of the services passes on its way to LocalStack.

It makes the faults of a plan befall them, cuts a service off from an AWS service, and tells of each call in a line.
A request is read whole before any of it is passed on: LocalStack never waits for the rest of one that was cut in half.
"""
