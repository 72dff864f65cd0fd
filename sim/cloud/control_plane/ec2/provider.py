"""Corrections to LocalStack's EC2."""

from __future__ import annotations

from sim.cloud.control_plane.call import Call, Operations, Values


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
    "DescribeLaunchTemplateVersions": describe_launch_template_versions,
    "ModifyVpcEndpoint": modify_vpc_endpoint,
}
