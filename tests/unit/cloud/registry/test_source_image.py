"""Manifests that name the source of a version."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from sim.cloud.registry import answers
from sim.cloud.registry.answers import Refused
from sim.cloud.registry.source_image import MEDIA_TYPE, Source, source_of

SOURCE = Source("api", "1.2.3", "c0ffee", Path("/a folder/with ü"))


def test_a_manifest_names_the_source_that_it_was_made_of() -> None:
    assert source_of(SOURCE.manifest()) == SOURCE
    assert SOURCE.manifest() == replace(SOURCE).manifest()
    assert SOURCE.manifest() != replace(SOURCE, version="1.2.4").manifest()


def test_the_manifest_of_an_image_names_none() -> None:
    assert source_of(json.dumps({"schemaVersion": 2, "config": {"digest": "sha256:1"}, "layers": []})) is None


def test_docker_is_refused_a_source_by_its_name() -> None:
    found = {"images": [{"imageManifest": SOURCE.manifest(), "imageManifestMediaType": MEDIA_TYPE}]}
    with pytest.raises(Refused, match=r"the source of api 1\.2\.3 in /a folder/with ü, which only runs as a process"):
        answers.manifest("emails/api", "1.2.3", found, head=False)
