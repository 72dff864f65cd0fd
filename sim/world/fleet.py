"""The instances, each on its machine: who is up, who is started anew, and what befalls them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from services.api.settings import Settings as ApiSettings
from services.worker.settings import Settings as WorkerSettings
from sim.aws.account import BUCKET, QUEUE_URL, TOKEN_PARAMETER
from sim.faults.plan import Fault
from sim.world.chance import stream
from sim.world.client_pool import REGION
from sim.world.instances import Api, State, WorkerInstance
from sim.world.virtual_time import WorldRuntime

if TYPE_CHECKING:
    from sim.faults.decide import Hit
    from sim.world.balancer import Balancer
    from sim.world.client_pool import Pool
    from sim.world.network import Network
    from sim.world.scheduler import Scheduler
    from sim.world.setup import Setup

_RESTART_SECONDS = 20.0
"""After so long at most another task takes the place of one that ended."""
_HEALTH_CHECK_SECONDS = 6.0
"""How long the balancer routes to an instance that is gone."""
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
    """All instances by name: `api-1`, `worker-1`; those with the same number are on one machine."""

    def __init__(
        self,
        seed: int,
        setup: Setup,
        scheduler: Scheduler,
        network: Network,
        balancer: Balancer,
        pool: Pool,
        crashed: Callable[[Instance, frozenset[str]], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self.instances: dict[str, Instance] = {}
        self.restarts = 0
        self._seed = seed
        self._scheduler = scheduler
        self._network = network
        self._balancer = balancer
        self._pool = pool
        self._crashed = crashed
        self._failed = failed
        self._pauses = stream(seed, "pauses")
        self._names = [f"api-{n + 1}" for n in range(setup.apis)] + [f"worker-{n + 1}" for n in range(setup.workers)]
        self._api_settings = ApiSettings(
            aws_region=REGION,
            queue_url=QUEUE_URL,
            token_parameter=TOKEN_PARAMETER,
            token_cache_seconds=setup.token_cache,
        )
        self._worker_settings = WorkerSettings(
            aws_region=REGION,
            queue_url=QUEUE_URL,
            bucket=BUCKET,
            receive_wait_seconds=setup.receive_wait,
            poll_interval_seconds=0 if setup.receive_wait else 1,
            visibility_timeout_seconds=setup.visibility_timeout,
        )

    def start(self) -> None:
        """Starts whatever is not up."""
        for name in self._names:
            if name not in self.instances:
                self._start(name)
        self.instances = {name: self.instances[name] for name in self._names}

    def up(self) -> list[Instance]:
        """Those that are up."""
        return [each for each in self.instances.values() if each.state is State.UP]

    def stop(self, instance: Instance) -> float:
        """As ECS ends a task: out of the balancer, SIGTERM, and SIGKILL when the time is over; the seconds it took."""
        if isinstance(instance, Api):
            self._balancer.deregister(instance)
        seconds = instance.stop()
        self._gone(instance)
        return seconds

    def crash(self, instance: Instance) -> None:
        """As after SIGKILL; the balancer finds out in time."""
        self._crashed(instance, self._network.unheard(instance.name))
        instance.crash()
        self._gone(instance)
        if isinstance(instance, Api):
            self._scheduler.at(self._scheduler.now + _HEALTH_CHECK_SECONDS, lambda: self._balancer.deregister(instance))

    def end(self) -> None:
        """Nothing goes on any more."""
        for instance in list(self.instances.values()):
            instance.crash()
            self._gone(instance)

    def befall(self, hit: Hit, struck: Callable[[Fault, str], None]) -> None:
        """Lets a scheduled fault happen to an instance, or to a machine; `struck` hears of it when it happens."""
        fault, role = hit.rule.fault, hit.rule.caller
        candidates = [each for each in self.instances.values() if role is None or each.name.startswith(role)]
        if not candidates:
            return
        victim = candidates[int(hit.draw("victim") * len(candidates))]
        match fault:
            case Fault.CLOCK_SKEW:
                struck(fault, victim.name)
                victim.runtime.skew += hit.rule.seconds or 0.0
            case Fault.STOP_TASK:
                self._aim(victim, hit, fault, lambda: self._replace(victim, hit, struck))
            case Fault.KILL_TASK:
                self._aim(victim, hit, fault, lambda: self._kill(victim, hit, struck))
            case Fault.KILL_INSTANCE:
                struck(fault, victim.name)
                machine = victim.name.partition("-")[2]
                for each in [each for each in self.instances.values() if each.name.partition("-")[2] == machine]:
                    self.crash(each)
                    self._restart(each.name, 2 * _delay(hit))

    def _aim(self, victim: Instance, hit: Hit, fault: Fault, act: Callable[[], None]) -> None:
        """Now, or between the victim's next call of some kind and the answer, where most is at stake."""
        aims = _AIMS[victim.name.partition("-")[0]]
        aim = int(hit.draw(f"aim {fault}") * (len(aims) + 1))
        if aim < len(aims):
            self._network.after_next(victim.name, aims[aim], act)
        else:
            act()

    def _kill(self, victim: Instance, hit: Hit, struck: Callable[[Fault, str], None]) -> None:
        if victim.state is not State.DOWN:
            struck(Fault.KILL_TASK, victim.name)
            self.crash(victim)
            self._restart(victim.name, _delay(hit))

    def _replace(self, victim: Instance, hit: Hit, struck: Callable[[Fault, str], None]) -> None:
        """A stop; now and then a kill does not wait for its end, as where the machine goes away."""
        if victim.state is not State.UP:
            return
        struck(Fault.STOP_TASK, victim.name)

        def replace() -> None:
            self.stop(victim)
            self._restart(victim.name, _delay(hit))

        self._scheduler.spawn(replace)
        if hit.draw("killed") < _KILLED:
            self._scheduler.at(
                self._scheduler.now + hit.draw("patience") * _PATIENCE_SECONDS,
                lambda: self._aim(victim, hit, Fault.KILL_TASK, lambda: self._kill(victim, hit, struck)),
            )

    def _restart(self, name: str, seconds: float) -> None:
        def start() -> None:
            self._scheduler.park(seconds)
            if name not in self.instances:
                self._start(name)

        self._scheduler.spawn(start)

    def _gone(self, instance: Instance) -> None:
        if self.instances.get(instance.name) is not instance:
            # It was killed while it stopped, and another has its name.
            return
        self._network.crash(instance.name)
        self._pool.take_back(instance.name)
        del self.instances[instance.name]

    def _start(self, name: str) -> None:
        self.restarts += 1
        runtime = WorldRuntime(
            self._scheduler, stream(self._seed, name, self.restarts), pause=self._pause, failed=self._failed
        )
        if name.startswith("api"):
            api = Api(name, self._api_settings, runtime, self._pool, self._network.call)
            self.instances[name] = api
            self._balancer.register(api)
        else:
            self.instances[name] = WorkerInstance(name, self._worker_settings, runtime, self._pool, self._network.call)

    def _pause(self) -> None:
        if self._pauses.random() < _PAUSES:
            self._scheduler.park(0.0)


def _delay(hit: Hit) -> float:
    return hit.draw("delay") * _RESTART_SECONDS
