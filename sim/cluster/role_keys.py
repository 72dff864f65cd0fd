"""Where the control plane hands out the keys of roles: to the edge those of tasks, to agents those that they call with.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/instance_IAM_role.html
"""

from __future__ import annotations

from typing import Final, Literal
from urllib.parse import quote

from sim.cluster.desired import DesiredTask, Place

TaskRole = Literal["task", "execution"]
OF_TASK: Final = "/_sim/<account>/<region>/ecs/<cluster>/tasks/<task>/credentials/<role>"
OF_INSTANCE: Final = "/_sim/<account>/<region>/ec2/<instance>/credentials"


def of_task(task: DesiredTask, role: TaskRole) -> str:
    """The path of the keys of a task's role, or of its execution role."""
    place = task.place
    cluster, name = (quote(each.rpartition("/")[2]) for each in (task.cluster, task.arn))
    return f"/_sim/{place.account}/{place.region}/ecs/{cluster}/tasks/{name}/credentials/{role}"


def of_instance(instance: str, place: Place) -> str:
    """The path of the keys of an EC2 instance's role."""
    return f"/_sim/{place.account}/{place.region}/ec2/{quote(instance)}/credentials"
