"""Runs LocalStack on one address. Executed by the Python of LocalStack's own environment.

LocalStack binds every interface whatever host GATEWAY_LISTEN names; here it binds that host.
"""

import functools
import os

from twisted.internet import endpoints

_host = os.environ["GATEWAY_LISTEN"].rpartition(":")[0]
endpoints.TCP4ServerEndpoint = functools.partial(endpoints.TCP4ServerEndpoint, interface=_host)

from localstack.runtime.main import main  # noqa: E402 - it reads the endpoint class when imported

main()
