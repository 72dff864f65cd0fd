"""Which AMI the instances of each environment start from, as its settings pin it.

AWS's newest comes to the first environment. Each later one gets what the one before it has had, so that production runs
no AMI that nobody has tried.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from release.errors import NoAmi

if TYPE_CHECKING:
    from types_boto3_ssm import SSMClient

_NEWEST = "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_name"
"""https://docs.aws.amazon.com/AmazonECS/latest/developerguide/retrieve-ecs-optimized_AMI.html"""
_PINNED = re.compile(r'^(ami\s*=\s*)"(al2023-ami-ecs-hvm-[^"]+)"', re.MULTILINE)


def newest(ssm: SSMClient) -> str:
    """The name of the ECS-optimised Amazon Linux 2023 that AWS recommends."""
    return ssm.get_parameter(Name=_NEWEST)["Parameter"]["Value"]


def raised(pinned: Sequence[str], newest: str) -> list[str]:
    """What the environments are to pin, in their order, which pin this now."""
    return [newest, *pinned][: len(pinned)]


def pin(files: Sequence[Path], newest: str) -> list[str]:
    """Raises the AMI in the settings of the environments' clusters, given in their order; what each pins now.

    Raises NoAmi if one of them pins none; then nothing is written.
    """
    texts = [file.read_text(encoding="utf-8") if file.is_file() else "" for file in files]
    found = [_PINNED.search(text) for text in texts]
    pinned = [each[2] for each in found if each]
    if len(pinned) < len(files):
        without = ", ".join(str(file) for file, each in zip(files, found, strict=True) if not each)
        raise NoAmi(f'{without}: no AMI is pinned there; write `ami = "{newest}"`')
    names = raised(pinned, newest)
    for file, text, name in zip(files, texts, names, strict=True):
        file.write_text(_PINNED.sub(rf'\g<1>"{name}"', text), encoding="utf-8")
    return names
