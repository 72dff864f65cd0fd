"""What community LocalStack lacks of AWS's control plane: a plugin that runs inside LocalStack's own process.

LocalStack finds it by its entry points (`localstack/control_plane.dist-info`) and loads a service when it is first
called. Every operation is answered by moto, which LocalStack carries, on the same EC2 and IAM as everything else;
those that moto gets wrong are put right here, each in the folder of its service: `models.py` decides, as functions over
values, and `provider.py` lists the operations and keeps the state. Only `plugin.py` knows LocalStack.

The package imports nothing of the kit, which is not there where it runs, and only what LocalStack's Python has.
`docs/control-plane.md` lists what is put right.
"""
