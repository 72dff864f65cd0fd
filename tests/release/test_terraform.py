"""From a commit to the applied task definition, by the commands that a workflow says, with Terraform itself.

The roots below the service's are states that say what theirs would; that tasks run is told to ECS here.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from python_on_whales import DockerClient

from release.cli import CHANGES, ROLLED_BACK, main
from release.publish import deployed
from release.roots import Environment
from sim.cloud.aws_client import REGION
from sim.images.build import build_image
from sim.terraform import installation
from tests.cloud.shared import Client
from tests.release.test_real_image import write_image
from tests.unit.release.conftest import BASE, Repository, labels, settle

CHECKOUT = Path(__file__).resolve().parents[2]
NAME, SERVICE, REPOSITORY = "emails-test", "emails-test-api", "emails/api"
pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def checkout(
    repository: Repository,
    aws: Callable[[str], Client],
    endpoint: str,
    account: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Repository:
    """A repository with the root of the API, applied by a person for the first time: nothing runs yet."""
    if shutil.which("terraform") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("there is no Terraform: install 1.11 or newer")
    ignored = shutil.ignore_patterns(".terraform", "tests")
    for folder in ("services/api", "services/worker", "modules"):
        shutil.copytree(CHECKOUT / "terraform" / folder, repository.root / "terraform" / folder, ignore=ignored)
    settings = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": account,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "RELEASE_ENVIRONMENT": "test",
        "RELEASE_STATE_BUCKET": f"states-{account}",
        **installation.environment(tmp_path, os.environ),
        # Of the shell's own Terraform settings none may come between.
        "TF_WORKSPACE": "other",
        "TF_VAR_name": "other",
        "TF_VAR_image_tag": "other",
        "TF_CLI_ARGS_plan": "-destroy",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    _below(aws, f"states-{account}")
    settle(repository.root, "services/api", "services/worker")
    repository.commit("test: settings", {})
    root = Environment(repository.root, "test", f"states-{account}", os.environ).root("services/api")
    root.init()
    root.apply(root.plan(repository.root.parent / "first.tfplan", {"image_tag": "none"}))
    return repository


def _below(aws: Callable[[str], Client], bucket: str) -> None:
    """What the roots account, cluster and messaging would have made, as far as the service's root asks."""
    aws("ecr").create_repository(repositoryName=REPOSITORY, imageTagMutability="IMMUTABLE")
    aws("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    cluster = aws("ecs").create_cluster(clusterName=NAME)["cluster"]
    listener = {"Protocol": "HTTP", "LoadBalancerPort": 80, "InstanceProtocol": "HTTP", "InstancePort": 8080}
    zones = [f"{REGION}a"]
    aws("ecr").create_repository(repositoryName="emails/worker")
    aws("elb").create_load_balancer(LoadBalancerName="emails-test-api", Listeners=[listener], AvailabilityZones=zones)
    queue = aws("sqs").create_queue(QueueName="emails-test-emails")["QueueUrl"]
    arn = aws("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    outputs: dict[str, dict[str, object]] = {
        "cluster": {
            "api_port": 8080,
            "api_tasks": 1,
            "capacity_provider": "FARGATE",
            "cluster_arn": cluster["clusterArn"],
            "cluster_name": NAME,
            "drain_seconds": 60,
            "idle_timeout_seconds": 60,
            "load_balancer_name": "emails-test-api",
            "room": {"cpu": 1024, "memory": 896},
            "unhealthy_after_seconds": 13,
            "url": "http://load-balancer.invalid",
        },
        "messaging": {"queue_url": queue, "queue_arn": arn, "max_message_size": 262144},
    }
    for root, values in outputs.items():
        said = {name: {"value": value, "type": _type(value)} for name, value in values.items()}
        state = {"version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": root, "outputs": said}
        aws("s3").put_object(
            Bucket=bucket, Key=f"{root}/terraform.tfstate", Body=json.dumps({**state, "resources": []})
        )


def _type(value: object) -> object:
    """As a state writes the type of an output."""
    if isinstance(value, dict):
        return ["object", {name: _type(each) for name, each in value.items()}]
    return "number" if isinstance(value, int) else "string"


@contextmanager
def agents(ecs: Client) -> Iterator[None]:
    """Say of each deployment's task that it runs, and of the one before that it ended."""
    over = threading.Event()
    identity = json.dumps({"instanceId": "i-0", "availabilityZone": f"{REGION}a"})
    resources = [{"name": name, "type": "INTEGER", "integerValue": 10**6} for name in ("CPU", "MEMORY")]

    def run() -> None:
        done: set[str] = set()
        while not over.wait(0.2):
            found = ecs.describe_services(cluster=NAME, services=[SERVICE])["services"]
            if not found or found[0]["deployments"][0]["id"] in done:
                continue
            primary = found[0]["deployments"][0]
            old = ecs.list_tasks(cluster=NAME, serviceName=SERVICE)["taskArns"]
            wanted = ecs.describe_task_definition(taskDefinition=primary["taskDefinition"])["taskDefinition"]
            instance = ecs.register_container_instance(
                cluster=NAME,
                instanceIdentityDocument=identity,
                totalResources=resources,
                attributes=wanted["requiresAttributes"],
            )["containerInstance"]["containerInstanceArn"]
            [task] = ecs.start_task(
                cluster=NAME,
                containerInstances=[instance],
                startedBy=primary["id"],
                taskDefinition=primary["taskDefinition"],
            )["tasks"]
            ecs.submit_task_state_change(cluster=NAME, task=task["taskArn"], status="RUNNING")
            for each in old:
                ecs.stop_task(cluster=NAME, task=each)
                ecs.submit_task_state_change(cluster=NAME, task=each, status="STOPPED")
            done.add(primary["id"])

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def output(capsys: pytest.CaptureFixture[str]) -> str:
    """The last line that a command has printed."""
    return capsys.readouterr().out.splitlines()[-1]


def release(checkout: Repository, subject: str) -> str:
    """A commit that becomes a version of the API, built and published."""
    root = ["--root", str(checkout.root)]
    checkout.commit(subject, {"services/api/app.py": subject})
    assert main([*root, "bump", "api"]) == 0
    version = (checkout.root / "services/api/version.txt").read_text().strip()
    commit = checkout.commit("chore(release): next versions", {})
    image = f"test/release-{commit[:12]}:{version}"
    context = checkout.root.parent / version
    context.mkdir()
    write_image(context, subject, labels(version, commit, BASE))
    build_image(image, dockerfile=context / "Dockerfile", context=context, arguments={})
    try:
        assert main([*root, "publish", "api", image, "--repository", REPOSITORY, "--json"]) == 0
    finally:
        DockerClient().image.remove(image)
    return version


def running(aws: Callable[[str], Client]) -> str:
    ecs = aws("ecs")
    service = ecs.describe_services(cluster=NAME, services=[SERVICE])["services"][0]
    definition = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
    return str(definition["containerDefinitions"][0]["image"]).partition("@")[2]


def tags(aws: Callable[[str], Client], digest: str) -> list[str]:
    """Those of an image."""
    found = aws("ecr").describe_images(repositoryName=REPOSITORY, imageIds=[{"imageDigest": digest}])
    return [tag for image in found["imageDetails"] for tag in image["imageTags"]]


@pytest.mark.usefixtures("docker")
def test_a_commit_becomes_what_runs_and_a_bad_one_is_taken_back(
    checkout: Repository, aws: Callable[[str], Client], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    summary = tmp_path / "summary.md"
    root = ["--root", str(checkout.root)]
    deploy = [*root, "deploy", "api"]
    with agents(aws("ecs")):
        first = release(checkout, "feat: the first")
        commit = checkout.git("rev-parse", "HEAD")
        good = json.loads(output(capsys))["digest"]
        assert main([*root, "unpublished", "--repositories", "emails", "--json"]) == 0
        assert [each["service"] for each in json.loads(output(capsys))] == ["worker"]
        assert main([*deploy, first, "--smoke", "true", "--summary", str(summary)]) == 0
        assert running(aws) == good

        second = release(checkout, "fix: one that answers nothing")
        assert main([*deploy, second, "--smoke", "false"]) == ROLLED_BACK
        assert running(aws) == good
    assert (first, second) == ("0.2.0", "0.2.1")
    assert deployed("test", good) in tags(aws, good), "it is never expired"
    assert f"api {second}: rolled back; {good} runs" in capsys.readouterr().out
    assert f"**api {first}: deployed**" in summary.read_text()
    assert "aws_ecs_service.this[0] will be created" in summary.read_text()
    assert main([*root, "revision", "api", first]) == 0
    assert output(capsys) == commit


def test_infra_plans_applies_and_tells_of_drift_and_only_of_that(
    checkout: Repository, aws: Callable[[str], Client], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    infra = ["--root", str(checkout.root), "infra", "services/api"]
    summary = tmp_path / "summary.md"
    assert main([*infra, "--drift"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "to be applied: nothing"

    logs = aws("logs")
    [group] = logs.describe_log_groups()["logGroups"]
    logs.put_retention_policy(logGroupName=group["logGroupName"], retentionInDays=1)
    planned = ["--plans", str(tmp_path / "plans")]
    assert main([*infra, *planned, "--drift", "--summary", str(summary)]) == CHANGES
    assert capsys.readouterr().out.splitlines()[-1] == "to be applied: services/api"
    assert "aws_cloudwatch_log_group.this" in summary.read_text()

    logs.put_retention_policy(logGroupName=group["logGroupName"], retentionInDays=3)
    assert main([*infra, *planned, "--apply"]) == 0, "what was planned, and nothing else, is applied"
    assert capsys.readouterr().out.splitlines()[-1] == "applied: services/api"
    assert logs.describe_log_groups()["logGroups"][0]["retentionInDays"] == group["retentionInDays"]
    assert main([*infra, "--drift"]) == 0
    assert main([*infra, *planned, "--apply"]) == 1
    assert "Saved plan is stale" in capsys.readouterr().err, "what was planned is applied once"

    assert main(["--root", str(checkout.root), "infra", "services/apis"]) == 1
    assert "there is no root services/apis; there are: account" in capsys.readouterr().err


def test_a_lock_that_a_killed_terraform_has_left_is_taken_away_when_told(
    checkout: Repository, aws: Callable[[str], Client], account: str, capsys: pytest.CaptureFixture[str]
) -> None:
    infra = ["--root", str(checkout.root), "infra", "services/api", "--apply"]
    held = {"ID": "11111111-2222-3333-4444-555555555555", "Operation": "OperationTypeApply", "Who": "ann@laptop"}
    held |= {"Info": "", "Version": "1.11.4", "Created": "2026-01-01T00:00:00Z", "Path": "services/api"}
    lock = "services/api/terraform.tfstate.tflock"
    aws("s3").put_object(Bucket=f"states-{account}", Key=lock, Body=json.dumps(held))
    assert main([*infra, "--unlock"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "applied: nothing"
    assert "Contents" not in aws("s3").list_objects_v2(Bucket=f"states-{account}", Prefix=lock)
