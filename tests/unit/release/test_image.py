"""Images out of the archives that `docker save` writes."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import pytest

from release.errors import NotAnImage
from release.image import read
from tests.unit.release.conftest import archive, labels, save


def test_an_image_has_its_configuration_and_its_layers_compressed(tmp_path: Path) -> None:
    found = read(save(tmp_path / "a.tar", [b"one", b"two"], labels("1.2.3", "abc")))
    manifest = json.loads(found.manifest)
    assert [gzip.decompress(found.blobs[layer["digest"]]) for layer in manifest["layers"]] == [b"one", b"two"]
    assert all(layer["mediaType"].endswith("tar+gzip") for layer in manifest["layers"])
    for digest, blob in found.blobs.items():
        assert digest == f"sha256:{hashlib.sha256(blob).hexdigest()}"
    assert {each["digest"] for each in (manifest["config"], *manifest["layers"])} == set(found.blobs)
    assert found.labels["org.opencontainers.image.version"] == "1.2.3"


def test_the_digest_is_that_of_what_is_in_it_and_of_nothing_else(tmp_path: Path) -> None:
    def digest(name: str, layers: list[bytes]) -> str:
        return read(save(tmp_path / name, layers, labels("1.2.3", "abc"))).digest

    assert (
        digest("a.tar", [b"one"]) == digest("b.tar", [b"one"]) == digest("c.tar", [gzip.compress(b"one", 6, mtime=0)])
    )
    assert digest("a.tar", [b"one"]) != digest("d.tar", [b"two"])


@pytest.mark.parametrize("content", [b"", b"no tar at all", b"\0" * 10240])
def test_what_is_no_image_is_refused_with_the_remedy(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.tar").write_bytes(content)
    with pytest.raises(NotAnImage, match="docker save IMAGE"):
        read(tmp_path / "x.tar")


def test_an_archive_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotAnImage, match=r"missing\.tar"):
        read(tmp_path / "missing.tar")


def test_what_attests_an_image_is_not_the_image(tmp_path: Path) -> None:
    attested = read(save(tmp_path / "a.tar", [b"one"], labels("1.2.3", "abc"), attested=True))
    assert attested == read(save(tmp_path / "b.tar", [b"one"], labels("1.2.3", "abc")))


def test_an_archive_for_several_platforms_is_refused_and_names_them(tmp_path: Path) -> None:
    several = save(tmp_path / "a.tar", [b"one"], labels("1.2.3", "abc"), platforms=("amd64", "arm64"))
    with pytest.raises(NotAnImage, match=r"several platforms \(linux/amd64, linux/arm64\).*docker save --platform"):
        read(several)


def test_layers_that_would_be_pushed_as_what_they_are_not_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NotAnImage, match=r"has layers of .*tar\+zstd; build it without zstd"):
        read(save(tmp_path / "a.tar", [b"one"], labels("1.2.3", "abc"), kind="tar+zstd"))


def test_an_archive_of_two_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotAnImage, match="holds 2 images; save the one"):
        read(archive(tmp_path / "a.tar", [b"{}", b"{ }"], []))
