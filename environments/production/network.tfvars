# nat_gateway_per_zone = true   # a zone that fails then takes no other along
