"""A running pipeline for tests: `pytest --target process`.

    def test_an_email_is_stored(tracker, email):
        tracker.publish(email)
        tracker.verify()

and the cluster of any other project: `pytest --root DIR --image REPOSITORY=FOLDER`.

    def test_the_page_answers(cluster):
        assert requests.get(cluster.url).ok

The target is started once a session (once a worker under pytest-xdist) and put right after each test.
A test says with `@pytest.mark.needs(Capability.STOP_SERVICE)` what it asks of the target; on a target that
cannot do it the test is skipped as not applicable, by name. The logs of every part since the test
began are attached to its failure.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from release.errors import ReleaseError
from services.pipeline.message import Email
from sim.client.api import Client
from sim.client.tracker import EmailTracker
from sim.errors import SimError
from sim.targets import TARGETS, create
from sim.targets.project_options import ProjectOptions
from sim.targets.target import FAST, Progress, Provision, Target, TaskRuntime, Tuning
from sim.terraform.project_settings import settings

if TYPE_CHECKING:
    from sim.targets.project_cluster import ProjectCluster

_TARGET = pytest.StashKey[Target]()
_LOG_LENGTHS = pytest.StashKey[dict[str, int]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options that choose the target."""
    group = parser.getgroup("sim")
    group.addoption(
        "--reuse",
        action="store_true",
        help="let the containers of the target docker stay, and take over those that an earlier run has left",
    )
    group.addoption(
        "--provision",
        default=Provision.KIT,
        type=Provision,
        choices=list(Provision),
        help="who makes the resources of a local target: the kit, or production's Terraform",
    )
    group.addoption(
        "--runtime",
        type=TaskRuntime,
        choices=list(TaskRuntime),
        help="what the tasks of the target cluster are; containers if a Docker engine answers, else processes",
    )
    group.addoption(
        "--time-scale",
        default=1.0,
        type=float,
        metavar="K",
        help="how many times as fast AWS's clock runs in the target cluster; 1 unless given",
    )
    group.addoption(
        "--target",
        default="process",
        metavar="NAME",
        help=f"where the pipeline runs for tests with the fixture `target`: {', '.join(TARGETS)}",
    )

    theirs = parser.getgroup("sim, for another project")
    theirs.addoption(
        "--root", action="append", default=[], type=Path, metavar="DIR", help="a root of its Terraform; may be repeated"
    )
    theirs.addoption(
        "--image",
        action="append",
        default=[],
        metavar="REPOSITORY=FOLDER|IMAGE",
        help="the image, or the folder of the Dockerfile, that stands for a repository; may be repeated",
    )
    theirs.addoption(
        "--var", action="append", default=[], metavar="NAME=VALUE", help="a variable of its roots; may be repeated"
    )
    theirs.addoption(
        "--var-file", action="append", default=[], type=Path, metavar="FILE", help="variables of its roots"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Registers the marker, and refuses a target that is not there."""
    config.addinivalue_line("markers", "needs(*capabilities): what the test asks of its target (sim.targets.target)")
    if config.getoption("--target") not in TARGETS:
        raise pytest.UsageError(f"--target {config.getoption('--target')}: there are {', '.join(TARGETS)}")


def pytest_report_header(config: pytest.Config) -> str:
    """Names the target, and who makes its resources."""
    return f"sim: target {config.getoption('--target')}, provisioned by {config.getoption('--provision')}"


@pytest.fixture(scope="session")
def progress(request: pytest.FixtureRequest) -> Progress:
    """Prints what is being waited for, if pytest is verbose."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def show(words: str) -> None:
        if request.config.get_verbosity() > 0 and capture is not None:
            with capture.global_and_fixture_disabled():
                print(f"sim: {words}")

    return show


@pytest.fixture(scope="session")
def tuning(request: pytest.FixtureRequest) -> Tuning:
    """How the pipeline is set."""
    return replace(FAST, time_scale=request.config.getoption("--time-scale"))


@pytest.fixture(scope="session")
def chosen_target(request: pytest.FixtureRequest, tuning: Tuning, progress: Progress) -> Target:
    """The session's pipeline, not yet up. A module that needs another one has a fixture of this name."""
    name, reuse, provision, runtime = map(request.config.getoption, ("--target", "--reuse", "--provision", "--runtime"))
    try:
        return create(name, tuning, progress, reuse=reuse, provision=provision, runtime=runtime)
    except SimError as error:
        pytest.fail(f"the target could not be used: {error}", pytrace=False)


@pytest.fixture(scope="session")
def running_target(request: pytest.FixtureRequest, chosen_target: Target) -> Iterator[Target]:
    """The session's pipeline, for fixtures of a wider scope; a test takes `target`."""
    try:
        with chosen_target as target:
            request.config.stash[_TARGET] = target
            yield target
            del request.config.stash[_TARGET]
    except SimError as error:
        pytest.fail(f"the target could not be used: {error}", pytrace=False)


@pytest.fixture
def target(request: pytest.FixtureRequest, running_target: Target) -> Iterator[Target]:
    """The running pipeline, all of it up."""
    for marker in request.node.iter_markers("needs"):
        for capability in marker.args:
            if capability not in running_target.capabilities:
                pytest.skip(f"not applicable: target {running_target.name} cannot {capability}")
    yield running_target
    running_target.restore()


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest, tuning: Tuning, progress: Progress) -> Iterator[ProjectCluster]:
    """The cluster of the project whose roots --root names, stable once."""
    # Not before it is asked for: what it imports takes as long as LocalStack's start.
    from sim.images.stand_in import given  # noqa: PLC0415
    from sim.targets.project_cluster import ProjectCluster  # noqa: PLC0415
    from sim.terraform.root_order import assigned  # noqa: PLC0415

    roots, images, variables, files = map(request.config.getoption, ("--root", "--image", "--var", "--var-file"))
    if not roots:
        pytest.fail("name the roots of the project's Terraform: --root DIR", pytrace=False)
    try:
        terraform = settings(roots, files, assigned(variables))
        with ProjectCluster(ProjectOptions(terraform, given(images), tuning.time_scale), progress) as running:
            yield running
    except (SimError, ReleaseError) as error:
        pytest.fail(f"the project's cluster could not be used: {error}", pytrace=False)


@pytest.fixture
def client(target: Target) -> Client:
    """A client with the present token."""
    return target.client()


@pytest.fixture
def tracker(target: Target, client: Client) -> EmailTracker:
    """Publishes e-mails, and verifies that each is stored once."""
    return EmailTracker(target, client)


@pytest.fixture
def email(target: Target) -> Email:
    """An e-mail like many. On a target that others use too, its sender says which run sent it."""
    return Email(
        email_subject="Happy new year!",
        email_sender=target.sender,
        email_timestream="1693561101",
        email_content="Just want to say... Happy new year!!!",
    )


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Notes where the logs are when a test begins."""
    target = item.config.stash.get(_TARGET, None)
    item.stash[_LOG_LENGTHS] = {name: len(text) for name, text in target.logs().items()} if target else {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attaches to a failure what each part has logged since the test began."""
    report = yield
    target = item.config.stash.get(_TARGET, None)
    if report.failed and target is not None and "target" in getattr(item, "fixturenames", ()):
        begun = item.stash.get(_LOG_LENGTHS, {})
        for name, text in target.logs().items():
            report.sections.append((f"log of {name}", text[begun.get(name, 0) :]))
    return report
