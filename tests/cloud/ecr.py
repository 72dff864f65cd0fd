"""What a container instance does with an image in ECR."""

from __future__ import annotations

from sim.agent.control_plane import ControlPlane
from sim.cluster.desired import Place
from sim.host.engine_api import EngineApi
from tests.cloud.shared import Client


def pull(image: str, ecr: Client) -> str:
    """Pulls an image as the agent does, with a token of the client's account. Returns its id in the engine.

    Raises EngineRefused.
    """
    place = Place(ecr.describe_registry()["registryId"], ecr.meta.region_name)
    engine = EngineApi()
    engine.pull(image, ControlPlane(ecr.meta.endpoint_url).login(image, place, ""))
    return str((engine.image(image) or {})["Id"])
