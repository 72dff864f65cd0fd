"""The edge: every Classic ELB and ALB of the local cloud, on the wire, and what a task asks about itself.

One process serves all load balancers. The control plane hands it the desired state (`sim.cluster.desired`); it opens
the listeners, checks the instances, carries requests and connections to them, and reports their health. What a load
balancer decides is in `sim.cluster.balancer`; this room carries it out.

Values, without a socket: `messages` (how HTTP/1.1 is read), `forwarding` (what the next hop gets), `arrived` (what an
ALB's rules look at), `access_log`, `metrics` and `application_metrics`. Sockets: `server` reconciles, `classic` is one
load balancer with its `listeners`, its `health` and its `node`s, `application` an ALB, each `target_group` of which has
a health and nodes; `client` and `target` are the two sides of an HTTP request, `exchange` is the request between them,
`tunnel` is a TCP listener's connection, `delivery` takes logs and metrics to the local cloud.
"""
