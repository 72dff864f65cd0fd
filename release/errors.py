"""The error tree. Every message says what failed, with what, and the remedy."""

from __future__ import annotations


class ReleaseError(Exception):
    """Anything that keeps a release or a deployment from going on."""


class CommandFailed(ReleaseError):
    """git or Terraform is not there or ended with an error."""


class NotAVersion(ReleaseError):
    """A version file holds something else than MAJOR.MINOR.PATCH."""


class NotAnImage(ReleaseError):
    """An archive is not what `docker save` writes of one image."""


class VersionTaken(ReleaseError):
    """The registry has the version with another digest."""


class NotPublished(ReleaseError):
    """The registry does not have the version."""


class NoSuchRoot(ReleaseError):
    """A root of Terraform was named that is none."""


class NotApplied(ReleaseError):
    """Terraform has not made yet what a deployment needs."""


class Busy(ReleaseError):
    """Another deployment of the environment is under way, or was interrupted."""


class Unstable(ReleaseError):
    """ECS gave up on a deployment, or did not say in time that it is stable."""


class SmokeFailed(ReleaseError):
    """What was deployed does not do what it should."""
