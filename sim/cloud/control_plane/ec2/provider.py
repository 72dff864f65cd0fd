"""Corrections to LocalStack's EC2."""

from __future__ import annotations

import re
from typing import Final

from sim.cloud.control_plane.call import Call, Operations, Values

_IMAGE_ID: Final = re.compile(r"ami-([0-9a-f]{8}|[0-9a-f]{17})")


def describe_images(call: Call) -> Values:
    """Knows every image that is asked for by a well-formed id: AWS has more of them, and new ones each month.

    An image that moto does not know is taken for an ECS-optimized Amazon Linux 2.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-optimized_AMI.html
    """
    for identity in call.parameters.get("ImageIds") or ():
        if _IMAGE_ID.fullmatch(identity):
            _make_known(call, identity)
    return call.forward()


def _make_known(call: Call, identity: str) -> None:
    from moto.ec2.models import ec2_backends  # noqa: PLC0415 - LocalStack loads its services late
    from moto.ec2.models.amis import Ami  # noqa: PLC0415

    ec2 = ec2_backends[call.account][call.region]
    if identity not in ec2.amis and identity not in ec2.deleted_amis:
        ec2.amis[identity] = Ami(
            ec2,
            identity,
            name=f"amzn2-ami-ecs-hvm-2.0-{identity.removeprefix('ami-')}-x86_64-ebs",
            owner_alias="amazon",
            public=True,
            virtualization_type="hvm",
            architecture="x86_64",
            hypervisor="xen",
            root_device_type="ebs",
            root_device_name="/dev/xvda",
        )


def describe_launch_template_versions(call: Call) -> Values:
    """Leaves the tags of the template itself out of the tags for what it launches.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_LaunchTemplateTagSpecificationRequest.html
    """
    answer = call.forward()
    for version in answer.get("LaunchTemplateVersions") or []:
        data = version["LaunchTemplateData"]
        kept = [each for each in data.get("TagSpecifications") or [] if each["ResourceType"] != "launch-template"]
        data.pop("TagSpecifications", None)
        if kept:
            data["TagSpecifications"] = kept
    return answer


def modify_vpc_endpoint(call: Call) -> Values:
    """Adds and removes the routes to a gateway endpoint together with its route tables.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyVpcEndpoint.html
    https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html
    """
    answer = call.forward()
    endpoint_id = call.parameters["VpcEndpointId"]
    [endpoint] = call.forward("DescribeVpcEndpoints", {"VpcEndpointIds": [endpoint_id]})["VpcEndpoints"]
    if endpoint.get("VpcEndpointType") == "Gateway":
        lists = call.forward("DescribeManagedPrefixLists", {})["PrefixLists"]
        [destination] = [each["PrefixListId"] for each in lists if each["PrefixListName"] == endpoint["ServiceName"]]
        for table in call.parameters.get("AddRouteTableIds") or []:
            route = {"RouteTableId": table, "DestinationPrefixListId": destination}
            call.forward("CreateRoute", {**route, "GatewayId": endpoint_id})
        for table in call.parameters.get("RemoveRouteTableIds") or []:
            call.forward("DeleteRoute", {"RouteTableId": table, "DestinationPrefixListId": destination})
    return answer


OPERATIONS: Operations = {
    "DescribeImages": describe_images,
    "DescribeLaunchTemplateVersions": describe_launch_template_versions,
    "ModifyVpcEndpoint": modify_vpc_endpoint,
}
