"""`python -m sim.cloud create|token`: makes the pipeline's resources, or prints the token that the API wants.

The cloud is the LocalStack that AWS_ENDPOINT_URL names. `create` waits for it and may be run again and again. The token
is SIM_TOKEN's; where that is empty, the one that is there stays, and one is generated if none is.
"""

from __future__ import annotations

import argparse
import os
import sys

from services.pipeline.aws import AWS_ERRORS
from sim.cloud.localstack import settings
from sim.cloud.resources import DataPlane, data_plane_of
from sim.errors import SimError
from sim.host.waiting import until

_READY_SECONDS = 120


def _create(data_plane: DataPlane, options: argparse.Namespace) -> str:
    until(lambda: settings.is_ready(data_plane.endpoint), "LocalStack to be ready", seconds=_READY_SECONDS)
    data_plane.create(
        visibility_timeout=options.visibility_timeout,
        max_receive_count=options.max_receive_count,
        token=os.environ.get("SIM_TOKEN") or None,
    )
    names = data_plane.resources
    return f"queue {names.queue_url}\nbucket {names.bucket}\ntoken in {names.token_parameter}"


def _token(data_plane: DataPlane, _: argparse.Namespace) -> str:
    return data_plane.token()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sim.cloud", description="What the pipeline needs in AWS.")
    commands = parser.add_subparsers(required=True)
    create = commands.add_parser("create", help="make what is not there yet of queues, bucket and token")
    create.add_argument("--visibility-timeout", type=int, required=True, help="of the queue, in seconds")
    create.add_argument("--max-receive-count", type=int, required=True, help="receives before the dead-letter queue")
    create.set_defaults(run=_create)
    commands.add_parser("token", help="print the token").set_defaults(run=_token)
    return parser


def main() -> int:
    """Runs the command line; the exit status."""
    options = _parser().parse_args()
    try:
        print(options.run(data_plane_of(os.environ), options))
    except (*AWS_ERRORS, SimError) as error:
        print(f"sim.cloud: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
