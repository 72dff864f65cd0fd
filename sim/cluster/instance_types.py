"""What a container instance of an EC2 instance type registers: CPU units and MiB of memory.

https://aws.amazon.com/ec2/instance-types/
"""

from __future__ import annotations

from typing import Final

CPU_UNITS: Final = 1024
_REGISTERED: Final = 0.95
"""Of the memory, about so much is left to tasks: the kernel keeps the rest. A t3.small registers some 1,900 MiB."""
_BURSTABLE: Final = {
    "nano": (2, 0.5),
    "micro": (2, 1.0),
    "small": (2, 2.0),
    "medium": (2, 4.0),
    "large": (2, 8.0),
    "xlarge": (4, 16.0),
    "2xlarge": (8, 32.0),
}
_ONE_CPU: Final = {"t1.micro", "t2.nano", "t2.micro", "t2.small"}
_GIB_PER_CPU: Final = {"c": 2.0, "m": 4.0, "r": 8.0, "i": 8.0}
_CPUS: Final = {"medium": 1, "large": 2, "xlarge": 4}


def resources(instance_type: str) -> tuple[int, int] | None:
    """CPU units and MiB of an instance type; None for one that is not known here."""
    family, _, size = instance_type.partition(".")
    if family[:1] == "t" and size in _BURSTABLE:
        cpus, gib = _BURSTABLE[size]
        return (1 if instance_type in _ONE_CPU else cpus) * CPU_UNITS, int(gib * 1024 * _REGISTERED)
    cpus = _CPUS.get(size) or _multiple(size)
    if not cpus or family[:1] not in _GIB_PER_CPU:
        return None
    return cpus * CPU_UNITS, int(cpus * _GIB_PER_CPU[family[:1]] * 1024 * _REGISTERED)


def _multiple(size: str) -> int:
    """4 for each of the n in `nxlarge`; 0 for another size."""
    number = size.removesuffix("xlarge")
    return 4 * int(number) if number.isdigit() and size.endswith("xlarge") else 0
