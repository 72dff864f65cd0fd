"""The command line.

Exit status: 0 all is well; 1 it failed, and the message says how things stand; 2 the command was not understood;
3 the deployment failed and the version before it runs again; 4 there is drift, where that was asked.
"""

from __future__ import annotations

import argparse
import getpass
import json
import os
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from release import amis, engine, infra, summary
from release.aws import Clients
from release.changelog import changelog
from release.deploy import FAILURES, Deployer, Outcome
from release.ecr import Repository
from release.ecs import Service, Time
from release.git import Checkout
from release.lock import Lock, Record
from release.publish import PLATFORM, publish, revision
from release.roots import ENVIRONMENTS, ORDER, Environment
from release.smoke import COMMAND, place, smoke
from release.sources import SERVICES, base_image, touched
from release.versions import Bump, Version, bump

FAILED = 1
ROLLED_BACK = 3
CHANGES = 4


def main(arguments: Sequence[str]) -> int:
    """Runs one command; the exit status."""
    options = parser().parse_args(arguments)
    try:
        status: int = options.run(options)
    except FAILURES as error:
        print(f"release: {error}", file=sys.stderr)
        return FAILED
    return status


def _changed(options: argparse.Namespace) -> int:
    checkout = Checkout(options.root)
    if options.commits:
        services = list(touched(checkout.changed(options.commits)))
    else:
        services = [made.service for service in SERVICES if (made := _next(checkout, service))]
    print(json.dumps(services) if options.json else "\n".join(services))
    return 0


def _bump(options: argparse.Namespace) -> int:
    checkout = Checkout(options.root)
    made = [each for service in options.services or SERVICES if (each := _next(checkout, service))]
    for each in made:
        folder = options.root / "services" / each.service
        history = folder / "CHANGELOG.md"
        before = history.read_text(encoding="utf-8") if history.exists() else ""
        history.write_text(changelog(each, before), encoding="utf-8")
        (folder / "version.txt").write_text(f"{each.version}\n")
    if options.json:
        print(json.dumps([{"service": each.service, "version": str(each.version)} for each in made]))
    else:
        print(*(f"{each.service} {each.version}" for each in made), sep="\n")
    return 0


def _unpublished(options: argparse.Namespace) -> int:
    checkout, ecr = Checkout(options.root), Clients(os.environ).ecr
    found = []
    for service in SERVICES:
        version = str(_version(checkout, service))
        if not Repository(ecr, f"{options.repositories}/{service}").found((version,)):
            found.append({"service": service, "version": version, "commit": checkout.version_set_by(service)})
    if options.json:
        print(json.dumps(found))
    else:
        print(*("{service} {version} of {commit}".format_map(each) for each in found), sep="\n")
    return 0


def _publish(options: argparse.Namespace) -> int:
    checkout = Checkout(options.root)
    version = str(_version(checkout, options.service))
    repository = Repository(Clients(os.environ).ecr, options.repository)
    base = base_image(checkout.root, options.service)
    done = publish(engine.image(options.image), version, checkout.head(), repository, options.platform, base=base)
    if options.json:
        print(json.dumps(asdict(done)))
    else:
        print(f"{options.repository}:{done.version} is {done.digest}; new tags: {', '.join(done.new) or 'none'}")
    return 0


def _revision(options: argparse.Namespace) -> int:
    root = _environment_of(options).root(f"services/{options.service}")
    root.init()
    repository = Repository(Clients(os.environ).ecr, _name(root.applied()["repository_url"]))
    commit = revision(repository.tags(repository.digest(options.version)))
    print(Checkout(options.root).full(commit))
    return 0


def _deploy(options: argparse.Namespace) -> int:
    environment = _environment_of(options)
    roots = {service: environment.root(f"services/{service}", unlock=options.unlock) for service in SERVICES}
    for each in roots.values():
        each.init()
    root = roots[options.service]
    outputs = root.applied()
    time_ = Time(time.monotonic, time.sleep)
    aws = Clients(os.environ)
    report = summary.Summary(options.summary)
    deployer = Deployer(
        options.service,
        root,
        Service(aws.ecs, outputs["cluster_name"], outputs["service_name"], time_),
        Repository(aws.ecr, _name(outputs["repository_url"])),
        _lock(aws, options),
        _smoke(options, {service: each.outputs() for service, each in roots.items()}, aws),
        environment=options.environment,
        progress=_progress,
        show=report.plan,
    )
    verdict = deployer.deploy(options.version, options.who, uuid.uuid4().hex)
    report.verdict(verdict)
    return 0 if verdict.good else ROLLED_BACK if verdict.outcome is Outcome.ROLLED_BACK else FAILED


def _smoke(options: argparse.Namespace, outputs: dict[str, dict[str, Any]], aws: Clients) -> Callable[[], None]:
    """The smoke test of a deployment; `outputs` has those of each service's root."""
    found = place(options.service, outputs)
    if found is None:
        return lambda: _progress("no smoke test yet: the API was never deployed")
    variables = found | ({"SIM_URL": options.url} if options.url else {})
    return smoke(options.smoke, options.tests or options.root, variables, lambda: _token(aws, outputs["api"]))


def _infra(options: argparse.Namespace) -> int:
    roots = _environment_of(options).roots(options.roots, unlock=options.unlock)
    report = summary.Summary(options.summary)
    if not options.apply:
        changing = infra.plan(roots, report.plan_of, folder=options.plans)
        print(f"to be applied: {', '.join(changing) or 'nothing'}")
        return CHANGES if changing and options.drift else 0
    with _lock(Clients(os.environ), options).held(Record(options.who, uuid.uuid4().hex)):
        if options.plans:
            changed = infra.apply_planned(roots, options.plans, _progress)
        else:
            changed = infra.apply(roots, report.plan_of)
    print(f"applied: {', '.join(changed) or 'nothing'}")
    return 0


def _amis(options: argparse.Namespace) -> int:
    name = options.newest or amis.newest(Clients(os.environ).ssm)
    if not options.environments:
        print(name)
        return 0
    files = [options.root / ENVIRONMENTS / environment / "cluster.tfvars" for environment in options.environments]
    for environment, pinned in zip(options.environments, amis.pin(files, name), strict=True):
        print(f"{environment} {pinned}")
    return 0


def _environment_of(options: argparse.Namespace) -> Environment:
    return Environment(options.root, options.environment, options.state_bucket, os.environ)


def _lock(aws: Clients, options: argparse.Namespace) -> Lock:
    return Lock(aws.s3, options.state_bucket, time.time, time.sleep, progress=_progress, patience=options.wait)


def _next(checkout: Checkout, service: str) -> Bump | None:
    return bump(service, _version(checkout, service), checkout.since_release(service))


def _version(checkout: Checkout, service: str) -> Version:
    return Version.parse((checkout.root / "services" / service / "version.txt").read_text().strip())


def _token(aws: Clients, api: dict[str, Any]) -> str:
    parameter = aws.ssm.get_parameter(Name=api["token_parameter"], WithDecryption=True)["Parameter"]
    return parameter["Value"]


def _name(repository_url: str) -> str:
    """The name of a repository, which its URL has after the registry's host."""
    return repository_url.partition("/")[2]


def _progress(words: str) -> None:
    print(f"{time.strftime('%T')} {words}", flush=True)


def _user() -> str:
    """Who runs this: a name, or the number of a user who has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"


def parser() -> argparse.ArgumentParser:
    """What it understands."""
    made = argparse.ArgumentParser(prog="python -m release", description="From a merge to what runs, and back.")
    made.add_argument("--root", type=Path, default=Path(), metavar="DIR", help="the checkout; by default here")
    commands = made.add_subparsers(required=True, metavar="COMMAND")

    changed = commands.add_parser("changed", help="name the services that commits touch")
    changed.add_argument("commits", nargs="?", help="a range such as main..HEAD; without, those since each release")
    _json(changed)
    changed.set_defaults(run=_changed)

    bumping = commands.add_parser("bump", help="write the next version of each changed service, and its changelog")
    bumping.add_argument("services", nargs="*", metavar="SERVICE", help="only these")
    _json(bumping)
    bumping.set_defaults(run=_bump)

    unpublished = commands.add_parser("unpublished", help="name the versions of the checkout that ECR does not have")
    unpublished.add_argument("--repositories", required=True, help="what their names in ECR begin with, such as emails")
    _json(unpublished)
    unpublished.set_defaults(run=_unpublished)

    publishing = commands.add_parser("publish", help="push an image to ECR under the service's version")
    publishing.add_argument("service", choices=SERVICES)
    publishing.add_argument("image", help="its name in the Docker engine, such as services/api:0.1.0")
    publishing.add_argument("--repository", required=True, help="its name in ECR, such as emails/api")
    publishing.add_argument("--platform", default=PLATFORM, help=f"the instances', by default {PLATFORM}")
    _json(publishing)
    publishing.set_defaults(run=_publish)

    deploying = commands.add_parser("deploy", help="run a version, or go back to the one before")
    _version_in_environment(deploying)
    _lockable(deploying)
    _from_environment(deploying, "--url", "smoke-test this instead of what Terraform says", default="")
    deploying.add_argument("--smoke", default=COMMAND, metavar="COMMAND", help=f"by default `{COMMAND}`")
    deploying.add_argument(
        "--tests", type=Path, metavar="DIR", help="where the smoke test runs; by default the checkout"
    )
    deploying.set_defaults(run=_deploy)

    revising = commands.add_parser("revision", help="print the commit that a version was built from")
    _version_in_environment(revising)
    revising.set_defaults(run=_revision)

    roots = commands.add_parser("infra", help="plan roots of Terraform, or apply what was planned")
    roots.add_argument("roots", nargs="*", metavar="ROOT", help=f"only these of {', '.join(ORDER)}")
    _environment(roots)
    _lockable(roots)
    roots.add_argument("--plans", type=Path, metavar="DIR", help="keep the plans here; with --apply, apply these alone")
    roots.add_argument("--apply", action="store_true", help="apply each root's plan, before the next root is planned")
    roots.add_argument("--drift", action="store_true", help=f"end with {CHANGES} if a root is not as it is written")
    roots.set_defaults(run=_infra)

    pinning = commands.add_parser("amis", help="name AWS's newest AMI, or pin it, and in later environments the last")
    pinning.add_argument("environments", nargs="*", metavar="ENVIRONMENT", help="pin AMIs in these, in their order")
    pinning.add_argument("--newest", metavar="NAME", help="instead of what AWS recommends")
    pinning.set_defaults(run=_amis)
    return made


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="as JSON")


def _version_in_environment(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("service", choices=SERVICES)
    parser.add_argument("version", help="such as 1.2.3, or a digest")
    _environment(parser)


def _environment(parser: argparse.ArgumentParser) -> None:
    _from_environment(parser, "--environment", "which of environments/")
    _from_environment(parser, "--state-bucket", "where Terraform's states are: what the root bootstrap says")


def _lockable(parser: argparse.ArgumentParser) -> None:
    _from_environment(parser, "--who", "who does it, for others to read", default=_user())
    parser.add_argument(
        "--wait", type=float, default=0, metavar="SECONDS", help="how long to wait for another's change"
    )
    parser.add_argument("--unlock", action="store_true", help="take away locks that a killed Terraform has left")
    parser.add_argument("--summary", type=Path, metavar="FILE", help="append plans and verdict, as Markdown")


def _from_environment(parser: argparse.ArgumentParser, option: str, what: str, default: str | None = None) -> None:
    """An option that an environment variable gives too: `--state-bucket` is RELEASE_STATE_BUCKET."""
    variable = "RELEASE" + option.removeprefix("-").replace("-", "_").upper()
    given = os.environ.get(variable) or default
    parser.add_argument(option, default=given, required=given is None, help=f"{what}; or {variable}")
