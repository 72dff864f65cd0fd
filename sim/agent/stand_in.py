"""Which local image stands for the image that a container definition names."""

from __future__ import annotations

from collections.abc import Mapping


def stand_in(image: str, local: Mapping[str, str]) -> str | None:
    """The local image for an image such as `111122223333.dkr.ecr.eu-central-1.amazonaws.com/team/web:1`; None for none.

    The keys of `local` are repositories, with or without the registry's host and a tag: `team/web:1` is looked for
    before `team/web`.
    """
    repository, tag = _parts(image)
    names = (repository, _without_host(repository))
    tagged = [f"{name}:{tag}" for name in names if tag]
    return next((local[name] for name in (*tagged, *names) if name in local), None)


def _parts(image: str) -> tuple[str, str]:
    """Repository and tag, "" for none. A digest counts for neither."""
    named = image.partition("@")[0]
    path, slash, last = named.rpartition("/")
    name, _, tag = last.partition(":")
    return f"{path}{slash}{name}", tag


def _without_host(repository: str) -> str:
    """The first part is a host if it has a dot or a port, or is localhost: https://github.com/distribution/reference"""
    first, slash, rest = repository.partition("/")
    return rest if slash and ("." in first or ":" in first or first == "localhost") else repository
