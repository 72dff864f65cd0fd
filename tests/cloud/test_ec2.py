"""Security groups whose rules say what they are for."""

from __future__ import annotations

from collections.abc import Callable

from tests.cloud.conftest import Client


def test_a_rule_for_another_group_keeps_its_description(aws: Callable[[str], Client]) -> None:
    ec2 = aws("ec2")
    balancer, instances = (
        ec2.create_security_group(GroupName=name, Description=name)["GroupId"] for name in ("balancer", "instances")
    )
    ec2.authorize_security_group_ingress(
        GroupId=instances,
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": 8080,
                "ToPort": 8080,
                "UserIdGroupPairs": [{"GroupId": balancer, "Description": "from the balancer"}],
            }
        ],
    )
    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [instances]}])
    [rule] = [each for each in rules["SecurityGroupRules"] if not each["IsEgress"]]
    assert rule["Description"] == "from the balancer"
    assert rule["ReferencedGroupInfo"]["GroupId"] == balancer
