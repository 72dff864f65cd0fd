"""The error tree. Every message says what failed, with what, and the remedy."""

from __future__ import annotations


class ReleaseError(Exception):
    """Anything that keeps a release or a deployment from going on."""


class CommandFailed(ReleaseError):
    """git, Terraform or Docker is not there or ended with an error."""


class NotAVersion(ReleaseError):
    """A version file holds something else than MAJOR.MINOR.PATCH."""


class NotAnImage(ReleaseError):
    """An image is not the one that a release is made of."""


class NoBaseImage(ReleaseError):
    """A Dockerfile does not say which image it builds on."""


class VersionTaken(ReleaseError):
    """The registry has the version with another digest."""


class NotPublished(ReleaseError):
    """The registry does not have the version."""


class StateLocked(CommandFailed):
    """Another Terraform holds the lock of a root's state, or was killed while it did."""

    def __init__(self, root: str, lock: str) -> None:
        super().__init__(
            f"the state of {root} is locked ({lock}): another Terraform is at work on it, wait for its end; "
            "if that one was killed, `--unlock` takes its lock away"
        )
        self.lock = lock


class NoSuchEnvironment(ReleaseError):
    """An environment was named that has no settings."""


class NoAmi(ReleaseError):
    """The settings of an environment pin no AMI."""


class NoSuchRoot(ReleaseError):
    """A root of Terraform was named that is none."""


class NotApplied(ReleaseError):
    """Terraform has not made yet what a deployment needs."""


class NotPlanned(ReleaseError):
    """Plans and roots that are to be applied do not belong together."""


class Busy(ReleaseError):
    """Another run changes the environment, or was interrupted while it did. `passes` if waiting may help."""

    def __init__(self, message: str, *, passes: bool = False) -> None:
        super().__init__(message)
        self.passes = passes


class Unstable(ReleaseError):
    """ECS gave up on a deployment, or did not say in time that it is stable."""


class SmokeFailed(ReleaseError):
    """What was deployed does not do what it should."""
