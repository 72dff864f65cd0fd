"""What moto keeps of Auto Scaling groups: read as the core's settings, and written as the core decides.

moto's record has what users set, and what DescribeAutoScalingGroups returns. Nothing here makes a call. moto's modules
are imported at the first use, since LocalStack loads its services late. They are untyped.

https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_AutoScalingGroup.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, get_args

from sim.cluster.autoscaling.group_state import (
    Group,
    GroupSettings,
    HealthCheckType,
    LaunchTemplate,
    Process,
)
from sim.cluster.autoscaling.group_turn import LaunchInstance
from sim.cluster.autoscaling.lifecycle_hooks import Hook
from sim.cluster.desired import Place

_NAME_TAG: Final = "aws:autoscaling:groupName"
_PARTITION: Final = "aws"
_DEFAULT_COOLDOWN: Final = 300.0


class LaunchRefused(Exception):
    """EC2 does not run the instance, with its reason."""


@dataclass(frozen=True)
class Record:
    """moto's record of a group."""

    place: Place
    name: str

    @property
    def of_moto(self) -> Any:
        """moto's own object."""
        return _backend(self.place).autoscaling_groups[self.name]

    @property
    def exists(self) -> bool:
        """True if moto has a group of this name."""
        return self.name in _backend(self.place).autoscaling_groups

    def settings(self) -> GroupSettings:
        """What the group's users have set. `$Latest` and `$Default` are the versions that they are now."""
        found = self.of_moto
        checks = str(found.health_check_type or "EC2").split(",")
        suspended = {each["ProcessName"] for each in found.suspended_processes}
        warmup = found.default_instance_warmup
        return GroupSettings(
            self.name,
            int(found.min_size or 0),
            int(found.max_size or 0),
            tuple(dict.fromkeys(found.availability_zones)),
            _template(found),
            frozenset(each for each in get_args(HealthCheckType) if each in checks),
            float(found.health_check_grace_period or 0),
            None if warmup is None else float(warmup),
            bool(found.new_instances_protected_from_scale_in),
            tuple(found.termination_policies),
            tuple(_hook(each) for each in _backend(self.place).describe_lifecycle_hooks(self.name)),
            frozenset(each for each in get_args(Process) if each in suspended),
            _DEFAULT_COOLDOWN if found.default_cooldown is None else float(found.default_cooldown),
        )

    @contextmanager
    def unless_refused(self) -> Iterator[None]:
        """What is set within is as it was before, if an error ends it."""
        before = dict(vars(self.of_moto))
        try:
            yield
        except Exception:
            vars(self.of_moto).update(before)
            raise

    @property
    def enabled_metrics(self) -> list[str]:
        """The names of the metrics that it publishes."""
        return list(self.of_moto.metrics)

    def publish_metrics(self, names: list[str]) -> None:
        """Enables these metrics, and no others."""
        self.of_moto.metrics = names

    @property
    def target_groups(self) -> tuple[str, ...]:
        """The ARNs of the target groups that are attached to it."""
        return tuple(self.of_moto.target_group_arns)

    @property
    def instance_type(self) -> str:
        """Of the instances that it launches."""
        return str(self.of_moto.instance_type)

    def hold(self, hook: Hook) -> None:
        """Puts a hook on the group, if it is not there."""
        backend = _backend(self.place)
        if not backend.describe_lifecycle_hooks(self.name, [hook.name]):
            seconds = int(hook.heartbeat_seconds)
            backend.create_lifecycle_hook(hook.name, self.name, hook.transition, seconds, hook.default_result)

    def release(self, hook: Hook) -> None:
        """Takes a hook off the group."""
        _backend(self.place).delete_lifecycle_hook(self.name, hook.name)

    def forget(self) -> None:
        """Removes the record."""
        del _backend(self.place).autoscaling_groups[self.name]

    def write(self, group: Group) -> None:
        """Has the record show the group as it is now. Its load balancers have the instances that are in service.

        So one that is to end leaves them before its hooks are over.
        https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html
        """
        found = self.of_moto
        serving = _serving(found)
        found.desired_capacity = group.desired
        found.min_size, found.max_size = group.settings.min_size, group.settings.max_size
        if group.settings.template != _template(found):
            self._adopt(group.settings.template)
        known = {each.instance.id: each for each in found.instance_states}
        members = [known[each] for each in group.instances]
        for member, instance in zip(members, group.instances.values(), strict=True):
            member.lifecycle_state = instance.state
            member.health_status = "Unhealthy" if instance.unhealthy else "Healthy"
            member.protected_from_scale_in = instance.protected
        found.instance_states = members
        if _serving(found) != serving:
            _backend(self.place).update_attached_elbs(self.name)

    def launch(self, asked: LaunchInstance) -> str:
        """EC2 runs an instance for the group; its id. Raises LaunchRefused."""
        from moto.autoscaling.models import InstanceState  # noqa: PLC0415
        from moto.ec2.exceptions import EC2ClientError  # noqa: PLC0415

        found = self.of_moto
        try:
            made_of = _made_of(found, asked.template)
            profile = _profile(found, asked.template)
            reservation = found.ec2_backend.run_instances(
                count=1,
                tags={"instance": made_of.pop("tags") | found.get_propagated_tags() | {_NAME_TAG: self.name}},
                placement=asked.zone,
                is_instance_type_default=False,
                subnet_id=self._subnet(asked.zone),
                **made_of,
            )
        except EC2ClientError as error:
            raise LaunchRefused(f"{error.message}  Launching EC2 instance failed.") from None
        [instance] = reservation.instances
        if profile:
            found.ec2_backend.associate_iam_instance_profile(instance.id, iam_instance_profile_arn=profile)
        instance.autoscaling_group = found
        member = InstanceState(instance)
        member.made_of = _described(found, asked.template)
        found.instance_states.append(member)
        return str(instance.id)

    def _subnet(self, zone: str) -> str | None:
        """The group's subnet in the zone, of several the one with the fewest instances. None where it names none."""
        found = self.of_moto
        if not found.vpc_zone_identifier:
            return None
        subnets = found.ec2_backend.describe_subnets(subnet_ids=found.vpc_zone_identifier.split(","))
        used = [each.instance.subnet_id for each in found.instance_states]
        return next_subnet([each.id for each in subnets if each.availability_zone == zone], used)

    def _adopt(self, template: LaunchTemplate) -> None:
        found = self.of_moto
        found.ec2_launch_template = found.ec2_backend.get_launch_template(template.id)
        found.launch_template_version = found.provided_launch_template_version = str(template.version)


def terminate(place: Place, instance: str) -> None:
    """EC2 ends an instance, also one that is protected from TerminateInstances."""
    from moto.ec2.models import ec2_backends  # noqa: PLC0415

    found = ec2_backends[place.account][place.region].get_instance(instance)
    if found.state != "terminated":
        found.terminate()


def template_named(place: Place, given: dict[str, Any]) -> LaunchTemplate:
    """A version of a launch template by its id or its name. Raises LaunchRefused if there is none."""
    from moto.ec2.exceptions import EC2ClientError  # noqa: PLC0415
    from moto.ec2.models import ec2_backends  # noqa: PLC0415

    ec2 = ec2_backends[place.account][place.region]
    try:
        if identity := given.get("LaunchTemplateId"):
            found = ec2.get_launch_template(identity)
        else:
            found = ec2.get_launch_template_by_name(given.get("LaunchTemplateName"))
        return LaunchTemplate(found.id, int(found.get_version(given.get("Version") or "$Default").number))
    except EC2ClientError as error:
        raise LaunchRefused(error.message) from None


def next_subnet(subnets: Sequence[str], used: Collection[str]) -> str:
    """The subnet with the fewest instances; the first of several. `used` names the subnet of each instance.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/auto-scaling-benefits.html
    """
    return min(subnets, key=Counter(used).__getitem__)


def _backend(place: Place) -> Any:
    from moto.autoscaling.models import autoscaling_backends  # noqa: PLC0415

    return autoscaling_backends[place.account][place.region]


def _serving(found: Any) -> set[str]:
    """The ids of the instances in service, as the record has them."""
    return {str(each.instance.id) for each in found.active_instances()}


def _template(found: Any) -> LaunchTemplate:
    """A launch configuration counts as a template of one version, 0."""
    if found.ec2_launch_template is None:
        return LaunchTemplate(found.launch_configuration_name, 0)
    version = found.ec2_launch_template.get_version(found.launch_template_version)
    return LaunchTemplate(found.ec2_launch_template.id, int(version.number))


def _made_of(found: Any, template: LaunchTemplate) -> dict[str, Any]:
    """What EC2 is asked for; `tags` are those of the template."""
    if template.version == 0:
        made_of = found.launch_config
        reference = {"launch_config": made_of, "associate_public_ip": made_of.associate_public_ip_address}
        tags = {}
    else:
        made_of = found.ec2_backend.get_launch_template(template.id).get_version(template.version)
        reference = {
            "launch_template": {"LaunchTemplateId": template.id, "Version": template.version},
            # moto finds security groups by their names alone.
            "security_group_ids": list(made_of.data.get("SecurityGroupIds") or ()),
        }
        tags = made_of.instance_tags
    return {
        "image_id": made_of.image_id,
        "user_data": made_of.user_data,
        "security_group_names": made_of.security_groups,
        "instance_type": made_of.instance_type,
        "tags": tags,
        **reference,
    }


def _profile(found: Any, template: LaunchTemplate) -> str:
    """The ARN of the instance profile of what EC2 is asked for, "" without one. Raises LaunchRefused."""
    from moto.iam.models import iam_backends  # noqa: PLC0415

    if template.version == 0:
        named = str(found.launch_config.iam_instance_profile or "")
    else:
        version = found.ec2_backend.get_launch_template(template.id).get_version(template.version)
        given = version.data.get("IamInstanceProfile") or {}
        named = str(given.get("Arn") or given.get("Name") or "")
    profiles = iam_backends[found.ec2_backend.account_id][_PARTITION].instance_profiles.values()
    known = {name: str(each.arn) for each in list(profiles) for name in (each.name, each.arn)}
    if named and named not in known:
        raise LaunchRefused(f"Invalid IAM Instance Profile name or ARN: {named}.  Launching EC2 instance failed.")
    return known.get(named, "")


def _described(found: Any, template: LaunchTemplate) -> dict[str, str] | None:
    """The launch template as DescribeAutoScalingInstances returns it."""
    if template.version == 0:
        return None
    name = found.ec2_backend.get_launch_template(template.id).name
    return {"LaunchTemplateId": template.id, "LaunchTemplateName": name, "Version": str(template.version)}


def hook_of_moto(place: Place, group: str, name: str) -> Any:
    """moto's own object of a lifecycle hook."""
    [found] = _backend(place).describe_lifecycle_hooks(group, [name])
    return found


def _hook(found: Any) -> Hook:
    return Hook(found.name, found.lifecycle_transition, float(found.heartbeat_timeout), found.default_result)
