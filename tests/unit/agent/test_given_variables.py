"""What a container is given beside its task definition."""

from __future__ import annotations

from pathlib import Path

from sim.agent.settings import Docker, Settings
from sim.cluster import task_endpoint
from tests.unit.agent.control_plane import a_task

SETTINGS = Settings(
    control_plane="http://127.0.0.1:4566",
    state=Path("/state"),
    given={"AWS_REGION": "{region}", "WHO": "{container} of {task}", "AWS_ENDPOINT_URL": "http://localstack"},
    given_to={"api": {"AWS_ENDPOINT_URL": "http://gateway/{account}"}},
    runtime=Docker(kind="docker", run="run", network="run-cluster"),
)


def test_every_container_is_given_the_same_and_what_is_for_its_name_wins() -> None:
    task = a_task("t1", {"name": "api"}, {"name": "beside"})
    api, beside = (SETTINGS.variables(task, name) for name in ("api", "beside"))
    assert api["AWS_ENDPOINT_URL"] == f"http://gateway/{task.place.account}"
    assert beside["AWS_ENDPOINT_URL"] == "http://localstack"
    assert (api["AWS_REGION"], api["WHO"]) == (task.place.region, "api of t1")


def test_metadata_and_credentials_are_where_the_settings_say() -> None:
    task = a_task("t1", {"name": "api"})
    elsewhere = SETTINGS.model_copy(update={"task_endpoint": "http://127.0.0.1:5"})
    for settings, base in ((SETTINGS, task_endpoint.LINK_LOCAL), (elsewhere, "http://127.0.0.1:5")):
        assert task_endpoint.environment(task, "api", base).items() <= settings.variables(task, "api").items()
