# One NAT gateway for both zones is the default.
