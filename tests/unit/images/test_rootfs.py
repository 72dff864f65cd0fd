"""Where the offline base comes from."""

from __future__ import annotations

import pytest

from sim.errors import SimError
from sim.images.rootfs import mirror

URIS = """\
'http://other.example/debian/dists/bookworm-updates/InRelease' other_InRelease 0
'http://third.example/dists/bookworm/stable/Packages.xz' third_Packages 0
'https://deb.example:8080/pub/debian/dists/bookworm/InRelease' deb_InRelease 0
'http://last.example/debian/dists/bookworm/InRelease' last_InRelease 0
"""


def test_the_mirror_is_the_first_that_apt_has_the_release_from() -> None:
    assert mirror(URIS) == "https://deb.example:8080/pub/debian"


@pytest.mark.parametrize("uris", ["", URIS.replace("bookworm/", "trixie/")])
def test_without_one_the_error_says_what_to_do(uris: str) -> None:
    with pytest.raises(SimError, match=r"bookworm.*BASE_IMAGE and LOCALSTACK_IMAGE"):
        mirror(uris)
