"""Runs LocalStack on one address, with the Python of LocalStack's own virtual environment.

LocalStack binds every interface, whichever host GATEWAY_LISTEN names. This script makes it bind only that host.
"""

import functools
import os

from twisted.internet import endpoints

_host = os.environ["GATEWAY_LISTEN"].rpartition(":")[0]
endpoints.TCP4ServerEndpoint = functools.partial(endpoints.TCP4ServerEndpoint, interface=_host)

from localstack.runtime.main import main  # noqa: E402 - the import reads the patched class

main()
