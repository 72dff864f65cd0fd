"""What a load balancer decides: which targets are in service, and where the next request goes.

Two machines, apart from each other, since one turns every few seconds and the other a thousand times a second:

- **Health** (`nodes`): a load balancer is several nodes, one per enabled zone or more. Each learns of a registration or
  a deregistration in its own time, checks every target that it may route to by its own clock, and comes to its own
  verdict. So nodes disagree for a while. `step` moves the whole of them to the present and says what is to be done:
  check this, let that drain, cut those connections.
- **Routing** (`routing`): a node has a tuple of targets that it may route to. Of these one is chosen for each request,
  by what each has outstanding or in turn. The shell counts what is outstanding; the choice is a function.

`classic` and `target_group` are the two kinds: the same machines, each with its settings, its words, and what it does
when no target is healthy. Beside them: their own answers (`answers` of a Classic ELB, `application_answers` of an ALB),
what they take for a dangerous request (`desync`), cookies (`stickiness`), listener rules of an ALB (`listener_rules`),
and the header by which it traces requests (`request_tracing`).
"""
