"""The command line.

Exit status: 0 all is well; 1 it failed, and the message says how things stand; 2 the command was not understood;
3 the deployment failed and the version before it runs again; 4 there is drift, where that was asked.
"""

from __future__ import annotations

import argparse
import getpass
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from release import image, summary
from release.deploy import Deployer, Outcome
from release.ecr import Repository
from release.ecs import Service, Time
from release.errors import ReleaseError
from release.git import Checkout
from release.lock import Lock
from release.publish import publish
from release.roots import ORDER, change, chosen
from release.smoke import COMMAND, smoke
from release.sources import SERVICES, touched
from release.versions import Bump, Version, bump, changelog

FAILED = 1
ROLLED_BACK = 3
CHANGES = 4
_TERMINATED = 128 + signal.SIGTERM


def main(arguments: Sequence[str]) -> int:
    """Runs one command; the exit status."""
    options = parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_TERMINATED))
    try:
        status: int = options.run(options)
    except (ReleaseError, BotoCoreError, ClientError) as error:
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
        history.write_text(changelog(each, history.read_text() if history.exists() else ""))
        (folder / "version.txt").write_text(f"{each.version}\n")
    if options.json:
        print(json.dumps([{"service": each.service, "version": str(each.version)} for each in made]))
    else:
        print(*(f"{each.service} {each.version}" for each in made), sep="\n")
    return 0


def _publish(options: argparse.Namespace) -> int:
    checkout = Checkout(options.root)
    version = str(_version(checkout, options.service))
    repository = Repository(boto3.Session().client("ecr"), options.repository)
    done = publish(image.read(options.archive), version, checkout.head(), repository)
    if options.json:
        print(json.dumps(asdict(done)))
    else:
        print(f"{options.repository}:{done.version} is {done.digest}; new tags: {', '.join(done.new) or 'none'}")
    return 0


def _deploy(options: argparse.Namespace) -> int:
    names = [f"services/{options.service}", "services/api"]
    directory = options.root / "terraform"
    roots = dict(chosen(names, directory, options.state_bucket, _variables(options), unlock=options.unlock))
    for root in roots.values():
        root.init()
    root = roots[f"services/{options.service}"]
    told, api = root.outputs(), roots["services/api"].outputs()
    time_ = Time(time.monotonic, time.sleep)
    # boto3's own default session keeps the credentials of whoever was first in the process.
    aws = boto3.Session()
    report = summary.Summary(options.summary)
    deployer = Deployer(
        options.service,
        root,
        Service(aws.client("ecs"), told["cluster_name"], told["service_name"], time_),
        Repository(aws.client("ecr"), told["repository_url"].partition("/")[2]),
        Lock(aws.client("s3"), options.state_bucket, time.time),
        smoke(options.smoke, options.root, options.url or api["url"], lambda: _token(aws, api["token_parameter"])),
        tell=lambda words: print(f"{time.strftime('%T')} {words}", flush=True),
        show=report.plan,
    )
    verdict = deployer.deploy(options.version, options.who)
    report.verdict(verdict)
    return 0 if verdict.good else ROLLED_BACK if verdict.outcome is Outcome.ROLLED_BACK else FAILED


def _infra(options: argparse.Namespace) -> int:
    directory = options.root / "terraform"
    roots = chosen(options.roots, directory, options.state_bucket, _variables(options), unlock=options.unlock)
    report = summary.Summary(options.summary)
    changes = [name for name, root in roots if change(name, root, options.apply, report.plan)]
    print(f"{'applied' if options.apply else 'to be applied'}: {', '.join(changes) or 'nothing'}")
    return CHANGES if changes and options.drift else 0


def _variables(options: argparse.Namespace) -> dict[str, str]:
    return {"name": options.name, "environment": options.environment}


def _next(checkout: Checkout, service: str) -> Bump | None:
    return bump(service, _version(checkout, service), checkout.since_release(service))


def _version(checkout: Checkout, service: str) -> Version:
    return Version.parse((checkout.root / "services" / service / "version.txt").read_text().strip())


def _token(aws: boto3.Session, parameter: str) -> str:
    token: str = aws.client("ssm").get_parameter(Name=parameter, WithDecryption=True)["Parameter"]["Value"]
    return token


def parser() -> argparse.ArgumentParser:
    """What it understands."""
    made = argparse.ArgumentParser(prog="python -m release", description="From a merge to what runs, and back.")
    made.add_argument("--root", type=Path, default=Path(), metavar="DIR", help="the checkout; by default here")
    commands = made.add_subparsers(required=True, metavar="COMMAND")

    changed = commands.add_parser("changed", help="name the services that commits touch")
    changed.add_argument("commits", nargs="?", help="a range such as main..HEAD; without, those since each release")
    changed.add_argument("--json", action="store_true", help="as a JSON array")
    changed.set_defaults(run=_changed)

    bumping = commands.add_parser("bump", help="write the next version of each changed service, and its changelog")
    bumping.add_argument("services", nargs="*", metavar="SERVICE", help="only these")
    bumping.add_argument("--json", action="store_true", help="as a JSON array")
    bumping.set_defaults(run=_bump)

    publishing = commands.add_parser("publish", help="push an image to ECR under the service's version")
    publishing.add_argument("service", choices=SERVICES)
    publishing.add_argument("archive", type=Path, help="what `docker save` wrote")
    publishing.add_argument("--repository", required=True, help="its name in ECR, such as emails-production/api")
    publishing.add_argument("--json", action="store_true", help="as a JSON object")
    publishing.set_defaults(run=_publish)

    deploying = commands.add_parser("deploy", help="run a version, or go back to the one before")
    deploying.add_argument("service", choices=SERVICES)
    deploying.add_argument("version", help="such as 1.2.3, or a digest")
    _environment(deploying)
    _from_environment(deploying, "--who", "who deploys, for others to read", default=getpass.getuser())
    _from_environment(deploying, "--url", "smoke-test this instead of what Terraform says", default="")
    deploying.add_argument("--smoke", default=COMMAND, metavar="COMMAND", help=f"by default `{COMMAND}`")
    deploying.set_defaults(run=_deploy)

    infra = commands.add_parser("infra", help="plan roots of Terraform, or apply what was planned")
    infra.add_argument("roots", nargs="*", metavar="ROOT", help=f"only these; by default {', '.join(ORDER)}")
    _environment(infra)
    infra.add_argument("--apply", action="store_true", help="each root's plan, before the next root is planned")
    infra.add_argument("--drift", action="store_true", help=f"end with {CHANGES} if a root is not as it is written")
    infra.set_defaults(run=_infra)
    return made


def _environment(parser: argparse.ArgumentParser) -> None:
    _from_environment(parser, "--environment", "which environment")
    _from_environment(parser, "--state-bucket", "where Terraform's states are: what the root bootstrap says")
    _from_environment(parser, "--name", "name of the system", default="emails")
    parser.add_argument("--unlock", action="store_true", help="take away locks that a killed Terraform has left")
    parser.add_argument("--summary", type=Path, metavar="FILE", help="append plans and verdict, as Markdown")


def _from_environment(parser: argparse.ArgumentParser, option: str, what: str, default: str | None = None) -> None:
    """An option that an environment variable gives too: `--state-bucket` is RELEASE_STATE_BUCKET."""
    variable = "RELEASE" + option.removeprefix("-").replace("-", "_").upper()
    given = os.environ.get(variable) or default
    parser.add_argument(option, default=given, required=given is None, help=f"{what}; or {variable}")
