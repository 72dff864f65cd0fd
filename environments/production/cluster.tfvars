# client_cidrs = ["192.0.2.0/24"]   # who may reach the load balancer; without it, the world
