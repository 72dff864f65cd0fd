"""Auto Scaling groups: the life cycle of their instances, and their refresh."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

import pytest

from sim.cloud.aws_client import REGION
from sim.host.waiting import until
from tests.cloud.conftest import Report
from tests.cloud.groups import Group
from tests.cloud.shared import Client

_SECONDS = 20.0


def test_the_group_launches_instances_that_ec2_knows(group: Group) -> None:
    assert list(group.states().values()) == ["InService", "InService"]
    found = [group.in_ec2(each) for each in group.states()]
    assert len({each["SubnetId"] for each in found}) == 2
    assert {each["State"]["Name"] for each in found} == {"running"}
    tags = {tag["Key"]: tag["Value"] for each in found for tag in each["Tags"]}
    assert tags["aws:autoscaling:groupName"] == "g"
    first, second = group.causes()
    assert first == second
    assert first.startswith("a user request created an AutoScalingGroup changing the desired capacity from 0 to 2.")


def test_a_group_is_created_once_and_never_outside_its_limits(aws: Callable[[str], Client], group: Group) -> None:
    with pytest.raises(group.client.exceptions.AlreadyExistsFault):
        aws("autoscaling").create_auto_scaling_group(
            AutoScalingGroupName="g",
            LaunchTemplate={"LaunchTemplateName": "nodes"},
            MinSize=1,
            MaxSize=1,
            AvailabilityZones=["us-east-1a"],
        )
    with pytest.raises(group.client.exceptions.ClientError, match="above max value 3"):
        group.client.set_desired_capacity(AutoScalingGroupName="g", DesiredCapacity=4)
    with pytest.raises(group.client.exceptions.ClientError, match="Min bound, 5, must be between 0 and the max bound"):
        group.client.update_auto_scaling_group(AutoScalingGroupName="g", MinSize=5)
    assert (group.described()["MinSize"], group.described()["MaxSize"]) == (2, 3)


def test_an_instance_that_ec2_ends_is_replaced_at_once(group: Group) -> None:
    first, second = group.states()
    group.ec2.terminate_instances(InstanceIds=[first])
    states = group.states()
    assert (first in states, second in states) == (False, True)
    assert list(states.values()) == ["InService", "InService"]
    replaced, ended, *_ = group.causes()
    assert replaced.startswith("an instance was launched in response to an unhealthy instance needing to be replaced.")
    assert ended.startswith(
        "an instance was taken out of service in response to "
        "an EC2 health check indicating it has been terminated or stopped."
    )


def test_an_instance_that_its_user_calls_unhealthy_is_replaced(group: Group) -> None:
    first, _ = group.states()
    group.client.set_instance_health(InstanceId=first, HealthStatus="Unhealthy")
    assert first not in group.states()
    assert group.in_ec2(first)["State"]["Name"] == "terminated"
    assert len(group.states()) == 2


@pytest.mark.parametrize("kind", ["EC2", "ELB"])
def test_an_instance_that_its_load_balancer_has_out_of_service_is_replaced_if_the_group_says_so(
    aws: Callable[[str], Client], report: Report, kind: str
) -> None:
    listener = {"Protocol": "HTTP", "LoadBalancerPort": 80, "InstancePort": 8080}
    aws("elb").create_load_balancer(LoadBalancerName="e", Listeners=[listener], AvailabilityZones=[f"{REGION}a"])
    group = Group(aws)
    group.create(LoadBalancerNames=["e"], HealthCheckType=kind, HealthCheckGracePeriod=0)
    first, second = before = list(group.states())
    assert report(second, State="InService") == HTTPStatus.OK
    assert list(group.states()) == before, "one that is being registered is not unhealthy yet"
    assert report(first, State="OutOfService", ReasonCode="Instance") == HTTPStatus.OK
    if kind == "EC2":
        assert list(group.states()) == before
        return
    assert first not in group.states()
    assert list(group.states().values()) == ["InService", "InService"]
    assert group.causes()[1].startswith(
        "an instance was taken out of service in response to an ELB system health check failure."
    )
    members = aws("elb").describe_load_balancers(LoadBalancerNames=["e"])["LoadBalancerDescriptions"][0]["Instances"]
    assert {each["InstanceId"] for each in members} == set(group.states())


def test_a_user_ends_an_instance_with_and_without_a_replacement(group: Group) -> None:
    first, second = group.states()
    end = group.client.terminate_instance_in_auto_scaling_group
    activity = end(InstanceId=first, ShouldDecrementDesiredCapacity=False)["Activity"]
    assert activity["Description"] == f"Terminating EC2 instance: {first}"
    assert len(group.states()) == 2
    with pytest.raises(group.client.exceptions.ClientError, match="desired capacity equals to min size"):
        end(InstanceId=second, ShouldDecrementDesiredCapacity=True)
    group.client.update_auto_scaling_group(AutoScalingGroupName="g", MinSize=1)
    end(InstanceId=second, ShouldDecrementDesiredCapacity=True)
    assert (second in group.states(), len(group.states()), group.described()["DesiredCapacity"]) == (False, 1, 1)


def test_the_group_grows_and_shrinks_and_keeps_what_is_protected(group: Group) -> None:
    group.client.set_desired_capacity(AutoScalingGroupName="g", DesiredCapacity=3)
    assert len(group.states()) == 3
    kept = next(iter(group.states()))
    group.client.set_instance_protection(AutoScalingGroupName="g", InstanceIds=[kept], ProtectedFromScaleIn=True)
    group.client.update_auto_scaling_group(AutoScalingGroupName="g", MinSize=0, DesiredCapacity=0)
    assert list(group.states()) == [kept]
    assert group.causes()[0].endswith("all remaining instances are protected from scale-in.")
    group.client.set_instance_protection(AutoScalingGroupName="g", InstanceIds=[kept], ProtectedFromScaleIn=False)
    assert group.states() == {}


def test_load_balancers_have_an_instance_from_its_launch_hook_to_the_begin_of_its_end(
    aws: Callable[[str], Client], report_target: Report
) -> None:
    listener = {"Protocol": "HTTP", "LoadBalancerPort": 80, "InstancePort": 8080}
    aws("elb").create_load_balancer(LoadBalancerName="e", Listeners=[listener], AvailabilityZones=[f"{REGION}a"])
    vpc = aws("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
    made = aws("elbv2").create_target_group(Name="t", Protocol="HTTP", Port=8080, VpcId=vpc)
    arn = made["TargetGroups"][0]["TargetGroupArn"]

    def members() -> tuple[set[str], set[str]]:
        [elb] = aws("elb").describe_load_balancers(LoadBalancerNames=["e"])["LoadBalancerDescriptions"]
        targets = aws("elbv2").describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        return {each["InstanceId"] for each in elb["Instances"]}, {
            each["Target"]["Id"] for each in targets if each["TargetHealth"]["State"] != "draining"
        }

    group = Group(aws)
    hook = {"LifecycleHookName": "h", "LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING"}
    attached = {"LoadBalancerNames": ["e"], "TargetGroupARNs": [arn], "HealthCheckType": "ELB"}
    group.create(MinSize=1, LifecycleHookSpecificationList=[hook], **attached)
    [first] = group.states()
    assert members() == (set(), set())
    group.complete(first)
    assert members() == ({first}, {first})
    group.hold("TERMINATING")
    assert report_target(arn, f"{first}:8080", State="OutOfService", ReasonCode="Target.Timeout") == HTTPStatus.OK
    assert group.states()[first] == "Terminating:Wait"
    serving, targets = members()
    assert first not in serving | targets


def test_an_instance_waits_for_its_hooks(aws: Callable[[str], Client]) -> None:
    group = Group(aws)
    hook = {"LifecycleHookName": "h", "LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING"}
    group.create(MinSize=1, LifecycleHookSpecificationList=[hook])
    [first] = group.states()
    assert group.states() == {first: "Pending:Wait"}
    group.client.record_lifecycle_action_heartbeat(AutoScalingGroupName="g", LifecycleHookName="h", InstanceId=first)
    group.complete(first)
    assert group.states() == {first: "InService"}
    with pytest.raises(group.client.exceptions.ClientError, match="No active Lifecycle Action found"):
        group.complete(first)
    group.hold("TERMINATING")
    group.client.update_auto_scaling_group(AutoScalingGroupName="g", MinSize=0, DesiredCapacity=0)
    assert group.states() == {first: "Terminating:Wait"}
    assert group.in_ec2(first)["State"]["Name"] == "running"
    group.complete(first)
    assert group.states() == {}
    assert group.in_ec2(first)["State"]["Name"] == "terminated"


def test_an_instance_that_ec2_cannot_run_is_a_failed_activity(group: Group) -> None:
    template = {"SecurityGroupIds": ["sg-00000000000000000"]}
    group.ec2.create_launch_template_version(LaunchTemplateName="nodes", SourceVersion="1", LaunchTemplateData=template)
    group.client.set_desired_capacity(AutoScalingGroupName="g", DesiredCapacity=3)
    [failed, *_] = group.client.describe_scaling_activities(AutoScalingGroupName="g")["Activities"]
    assert failed["StatusCode"] == "Failed"
    assert "sg-00000000000000000" in failed["StatusMessage"]
    assert len(group.states()) == 2


def test_a_refresh_replaces_every_instance(group: Group) -> None:
    before = set(group.states())
    group.ec2.create_launch_template_version(LaunchTemplateName="nodes", SourceVersion="1", LaunchTemplateData={})
    assert group.versions() == {"1"}
    group.client.start_instance_refresh(
        AutoScalingGroupName="g", Preferences={"MinHealthyPercentage": 50, "InstanceWarmup": 0}
    )
    until(lambda: group.refreshes() == [("Successful", 100, 0)], "the refresh", seconds=_SECONDS, seen=group.refreshes)
    assert not before & set(group.states())
    assert group.versions() == {"2"}
    assert any("in response to an instance refresh" in each for each in group.causes())


def test_a_refresh_that_is_rolled_back_leaves_the_old_template(group: Group) -> None:
    group.client.update_auto_scaling_group(
        AutoScalingGroupName="g", LaunchTemplate={"LaunchTemplateName": "nodes", "Version": "1"}
    )
    group.ec2.create_launch_template_version(LaunchTemplateName="nodes", SourceVersion="1", LaunchTemplateData={})
    group.client.start_instance_refresh(
        AutoScalingGroupName="g",
        DesiredConfiguration={"LaunchTemplate": {"LaunchTemplateName": "nodes", "Version": "2"}},
        Preferences={"MinHealthyPercentage": 50, "InstanceWarmup": 2},
    )
    until(lambda: group.versions() == {"1", "2"}, "the first new instance", seconds=_SECONDS, seen=group.versions)
    group.client.rollback_instance_refresh(AutoScalingGroupName="g")
    [found] = group.client.describe_instance_refreshes(AutoScalingGroupName="g")["InstanceRefreshes"]
    assert found["Status"] == "RollbackInProgress"
    assert found["RollbackDetails"]["RollbackReason"] == "Manual rollback by user"
    until(lambda: group.versions() == {"1"}, "the old template", seconds=_SECONDS, seen=group.versions)
    assert len(group.states()) == 2


def test_a_group_has_one_refresh_at_a_time(group: Group) -> None:
    slow = {"InstanceWarmup": 3600}
    group.client.start_instance_refresh(AutoScalingGroupName="g", Preferences=slow)
    with pytest.raises(group.client.exceptions.InstanceRefreshInProgressFault):
        group.client.start_instance_refresh(AutoScalingGroupName="g")
    group.client.cancel_instance_refresh(AutoScalingGroupName="g")
    until(lambda: group.refreshes()[0][0] == "Cancelled", "a cancelled refresh", seconds=_SECONDS, seen=group.refreshes)
    with pytest.raises(group.client.exceptions.ActiveInstanceRefreshNotFoundFault):
        group.client.cancel_instance_refresh(AutoScalingGroupName="g")
    group.client.start_instance_refresh(AutoScalingGroupName="g", Preferences=slow)
    assert [each[0] for each in group.refreshes()] == ["InProgress", "Cancelled"]


def test_what_is_not_modelled_is_refused_by_name(group: Group) -> None:
    refused = group.client.exceptions.ClientError
    with pytest.raises(refused, match="CheckpointPercentages of an instance refresh is not supported"):
        group.client.start_instance_refresh(AutoScalingGroupName="g", Preferences={"CheckpointPercentages": [50, 100]})
    with pytest.raises(refused, match="does not support EnterStandby"):
        group.client.enter_standby(
            AutoScalingGroupName="g", InstanceIds=list(group.states()), ShouldDecrementDesiredCapacity=True
        )


def test_a_group_with_instances_is_deleted_only_by_force_which_waits_for_no_hook(group: Group) -> None:
    launched = list(group.states())
    group.hold("TERMINATING")
    group.client.set_instance_protection(AutoScalingGroupName="g", InstanceIds=launched, ProtectedFromScaleIn=True)
    with pytest.raises(group.client.exceptions.ResourceInUseFault):
        group.client.delete_auto_scaling_group(AutoScalingGroupName="g")
    group.client.delete_auto_scaling_group(AutoScalingGroupName="g", ForceDelete=True)
    assert {group.in_ec2(each)["State"]["Name"] for each in launched} == {"terminated"}
    assert group.client.describe_auto_scaling_groups(AutoScalingGroupNames=["g"])["AutoScalingGroups"] == []
