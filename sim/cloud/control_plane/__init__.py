"""What community LocalStack lacks of AWS's control plane: a plugin that runs inside LocalStack's own process.

LocalStack finds the plugin by its entry points (`localstack/control_plane.dist-info`) and loads a service at the first
call to it. Most operations are answered by moto, which LocalStack includes. This package corrects the operations that
moto gets wrong. Each AWS service has a folder: `models.py` decides, as functions over values, and `provider.py` lists
the operations and keeps the state. `sim.cluster` decides what a cluster does; the folder `cluster` drives it. Only
`plugin.py`, `serving.py`, `cluster/backends.py` and `cluster/application_backends.py` import LocalStack and moto.

The package runs where the rest of the kit is not installed. So it imports only itself, the pure rooms beside it, and
what LocalStack's Python has.
`docs/control-plane.md` lists every corrected operation.
"""
