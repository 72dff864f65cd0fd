"""The agents of all machines: they run the services' instances, stop them, and lose them to faults."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from services.api.settings import Settings as ApiSettings
from services.worker.settings import Settings as WorkerSettings
from sim.aws.account import BUCKET, QUEUE_URL, TOKEN_PARAMETER
from sim.faults.plan import Fault
from sim.world.chance import stream
from sim.world.client_pool import REGION
from sim.world.elb import CHECK
from sim.world.instances import Api, State, WorkerInstance
from sim.world.versions import APIS, Version
from sim.world.virtual_time import WorldRuntime

if TYPE_CHECKING:
    from sim.faults.decide import Hit
    from sim.world.client_pool import Pool
    from sim.world.ecs import Ecs
    from sim.world.network import Network
    from sim.world.scheduler import Scheduler
    from sim.world.setup import Setup

DRAIN_SECONDS = CHECK.interval * CHECK.unhealthy + CHECK.timeout + 2
"""How long an API answers after SIGTERM, as `terraform/services/api/main.tf` has it: until every check has failed."""
_REPORT_SECONDS = 1.0
"""Until an agent has reported at most that a task has ended."""
_CRASH_SECONDS = 60.0
"""How long a version that crashes runs at most."""
_PAUSES = 0.05
"""How often another task goes on where a lock is taken."""
_AIMS = {"api": ("SendMessageBatch",), "worker": ("ReceiveMessage", "PutObject", "DeleteMessageBatch")}
"""Calls between which and their answers a stop or a kill may fall."""
_KILLED = 0.5
"""How often a task that stops is killed all the same, as by a machine that goes away."""
_PATIENCE_SECONDS = 0.1
"""When that is, at most, after SIGTERM."""

Instance = Api | WorkerInstance


class Fleet:
    """All instances by name: `api-1`, `worker-1`, numbered as they start."""

    def __init__(
        self,
        seed: int,
        setup: Setup,
        scheduler: Scheduler,
        network: Network,
        pool: Pool,
        crashed: Callable[[Instance, frozenset[str]], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self.instances: dict[str, Instance] = {}
        self.restarts = 0
        self._seed = seed
        self._scheduler = scheduler
        self._network = network
        self._pool = pool
        self._crashed = crashed
        self._failed = failed
        self._ecs: Ecs | None = None
        self._pauses = stream(seed, "pauses")
        self._draw = stream(seed, "agents")
        self._made: Counter[str] = Counter()
        self._tasks: dict[str, str] = {}
        """Names by task."""
        self._machines: dict[str, str] = {}
        """EC2 instance ids by name."""
        self._apis: dict[str, Api] = {}
        """What listens on the port of each machine."""
        self._api_settings = ApiSettings(
            aws_region=REGION,
            queue_url=QUEUE_URL,
            token_parameter=TOKEN_PARAMETER,
            token_cache_seconds=setup.token_cache,
            drain_seconds=DRAIN_SECONDS,
        )
        self._worker_settings = WorkerSettings(
            aws_region=REGION,
            queue_url=QUEUE_URL,
            bucket=BUCKET,
            receive_wait_seconds=setup.receive_wait,
            poll_interval_seconds=0 if setup.receive_wait else 1,
            visibility_timeout_seconds=setup.visibility_timeout,
        )

    def up(self, ecs: Ecs) -> None:
        """Reports to this cluster from now on."""
        self._ecs = ecs

    def of(self, role: type[Api] | type[WorkerInstance]) -> list[Instance]:
        """Those of a service that are up."""
        return [each for each in self.instances.values() if isinstance(each, role) and each.state is State.UP]

    def behind(self, ec2: str) -> Api | None:
        """What listens on the API's port of a machine."""
        return self._apis.get(ec2)

    def start_task(self, task: str, role: str, version: Version, ec2: str) -> None:
        """Starts what a task is to be."""
        self.restarts += 1
        self._made[role] += 1
        name = f"{role}-{self._made[role]}"
        runtime = WorldRuntime(self._scheduler, stream(self._seed, name), pause=self._pause, failed=self._failed)
        self._tasks[task] = name
        self._machines[name] = ec2
        if role == "api":
            api = APIS[version](name, self._api_settings, runtime, self._pool, self._network.call)
            self.instances[name] = self._apis[ec2] = api
        else:
            self.instances[name] = WorkerInstance(name, self._worker_settings, runtime, self._pool, self._network.call)
        if version is Version.CRASHES:
            self._scheduler.at(self._scheduler.now + self._draw.uniform(1, _CRASH_SECONDS), lambda: self._exits(name))

    def stop_task(self, task: str) -> None:
        """Sends SIGTERM, and reports the end when it comes."""
        name = self._tasks.get(task)
        if name is None:
            self._report(task)
        elif (instance := self.instances.get(name)) is not None and instance.state is State.UP:
            self._scheduler.spawn(partial(self._stop, instance))

    def lose(self, ec2: str) -> None:
        """A machine is gone, with all that runs on it; nobody reports anything."""
        for instance in [each for each in self.instances.values() if self._machines[each.name] == ec2]:
            self._crashed(instance, self._network.unheard(instance.name))
            instance.vanish()
            self._gone(instance)

    def stop(self, instance: Instance) -> float:
        """As StopTask: SIGTERM, and SIGKILL when the time is over; the seconds it took. The balancer learns later."""
        if instance.name not in self.instances:
            # It ended before the call came.
            return 0.0
        self._cluster.stop_by_user(self._task(instance))
        return self._stop(instance)

    def crash(self, instance: Instance) -> None:
        """As after SIGKILL; ECS and the balancer find out in time."""
        self._crashed(instance, self._network.unheard(instance.name))
        task = self._task(instance)
        instance.crash()
        self._gone(instance)
        self._report(task)

    def end(self) -> None:
        """Nothing goes on any more."""
        for instance in list(self.instances.values()):
            instance.crash()
            self._gone(instance)

    def inject(self, hit: Hit, on_fault: Callable[[Fault, str], None]) -> None:
        """Lets a scheduled fault happen to an instance, or to a machine; `on_fault` is called when it happens."""
        fault, role = hit.rule.fault, hit.rule.caller
        candidates = [each for each in self.instances.values() if role is None or each.name.startswith(role)]
        if not candidates:
            return
        victim = hit.choice("victim", candidates)
        match fault:
            case Fault.CLOCK_SKEW:
                on_fault(fault, victim.name)
                victim.runtime.skew += hit.rule.seconds or 0.0
            case Fault.STOP_TASK:
                self._aim(victim, hit, fault, lambda: self._replace(victim, hit, on_fault))
            case Fault.KILL_TASK:
                self._aim(victim, hit, fault, lambda: self._kill(victim, on_fault))
            case Fault.KILL_INSTANCE:
                on_fault(fault, victim.name)
                self._cluster.lose(self._machines[victim.name])
            case Fault.DRAIN_INSTANCE:
                on_fault(fault, victim.name)
                self._cluster.drain(self._machines[victim.name])

    @property
    def _cluster(self) -> Ecs:
        if self._ecs is None:
            raise RuntimeError("the agents have no cluster yet")
        return self._ecs

    def _aim(self, victim: Instance, hit: Hit, fault: Fault, act: Callable[[], None]) -> None:
        """Now, or between the victim's next call of some kind and the answer, where most is at stake."""
        aims = _AIMS[victim.name.partition("-")[0]]
        aim = int(hit.draw(f"aim {fault}") * (len(aims) + 1))
        if aim < len(aims):
            self._network.after_next(victim.name, aims[aim], act)
        else:
            act()

    def _kill(self, victim: Instance, on_fault: Callable[[Fault, str], None]) -> None:
        if victim.state is not State.DOWN:
            on_fault(Fault.KILL_TASK, victim.name)
            self.crash(victim)

    def _replace(self, victim: Instance, hit: Hit, on_fault: Callable[[Fault, str], None]) -> None:
        """A stop; now and then a kill does not wait for its end, as where the machine goes away."""
        if victim.state is not State.UP:
            return
        on_fault(Fault.STOP_TASK, victim.name)
        self._scheduler.spawn(partial(self.stop, victim))
        if hit.draw("killed") < _KILLED:
            self._scheduler.at(
                self._scheduler.now + hit.draw("patience") * _PATIENCE_SECONDS,
                lambda: self._aim(victim, hit, Fault.KILL_TASK, lambda: self._kill(victim, on_fault)),
            )

    def _stop(self, instance: Instance) -> float:
        if instance.state is not State.UP:
            return 0.0
        task = self._task(instance)
        seconds = instance.stop()
        if self._gone(instance):
            self._report(task)
        return seconds

    def _exits(self, name: str) -> None:
        instance = self.instances.get(name)
        if instance is not None and instance.state is State.UP:
            self.crash(instance)

    def _report(self, task: str) -> None:
        seconds = self._draw.uniform(0, _REPORT_SECONDS)
        self._scheduler.at(self._scheduler.now + seconds, lambda: self._cluster.ended(task))

    def _task(self, instance: Instance) -> str:
        return next(task for task, name in self._tasks.items() if name == instance.name)

    def _gone(self, instance: Instance) -> bool:
        """Forgets an instance; False if it was gone before, as one that is killed while it stops."""
        if self.instances.pop(instance.name, None) is None:
            return False
        self._network.crash(instance.name)
        self._pool.take_back(instance.name)
        ec2 = self._machines.pop(instance.name)
        if self._apis.get(ec2) is instance:
            del self._apis[ec2]
        del self._tasks[self._task(instance)]
        return True

    def _pause(self) -> None:
        if self._pauses.random() < _PAUSES:
            self._scheduler.park(0.0)
