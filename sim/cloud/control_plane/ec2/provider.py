"""What is put right in LocalStack's EC2."""

from __future__ import annotations

from sim.cloud.control_plane.call import Call, Operations, Values


def describe_launch_template_versions(call: Call) -> Values:
    """Without the tags of the template itself among those of what it launches.

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


OPERATIONS: Operations = {"DescribeLaunchTemplateVersions": describe_launch_template_versions}
