"""What of this machine's way to Python packages goes into an image."""

from __future__ import annotations

import configparser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.errors import SimError
from sim.images.package_index import CA_BUNDLE, ca_bundle, parse, pip_conf, pip_settings

HOSTS = st.from_regex(r"[a-z]{1,10}\.example(:[0-9]{2,4})?", fullmatch=True)
REMOTE = st.builds("{}://{}/simple".format, st.sampled_from(["http", "https"]), HOSTS)
LOCAL = st.sampled_from(["file:///srv/simple", "/srv/simple", "./simple"])


def conf(settings: dict[str, str]) -> dict[str, str]:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(pip_conf(settings))
    return dict(parser["global"])


def test_pip_on_this_machine_can_be_asked() -> None:
    assert conf(pip_settings())["cert"] == CA_BUNDLE


def test_the_environment_wins_over_files_and_a_command_over_the_global_section() -> None:
    listing = ":env:.timeout='3'\nglobal.index-url='https://a.example'\nglobal.timeout='1'\ninstall.timeout='2'\n"
    assert parse(listing) == {"timeout": "3", "index-url": "https://a.example"}
    assert parse("install.timeout='2'\nglobal.timeout='1'\ndownload.timeout='9'\n") == {"timeout": "2"}


def test_a_value_may_hold_anything() -> None:
    assert parse("global.extra-index-url=\"\\nhttps://a.example?x='='\"\n") == {
        "extra-index-url": "\nhttps://a.example?x='='"
    }


@given(st.lists(REMOTE | LOCAL, max_size=4))
def test_an_image_keeps_the_indexes_that_it_can_reach(urls: list[str]) -> None:
    kept = conf({"extra-index-url": "\n".join(urls)}).get("extra-index-url", "").split()
    assert kept == [url for url in urls if url.startswith("http")]


def test_an_image_has_the_certificates_on_its_own_path() -> None:
    settings = {"cert": "/home/me/bundle.pem", "trusted-host": "a.example", "find-links": "/srv/wheels"}
    assert conf(settings) == {"cert": CA_BUNDLE, "trusted-host": "a.example"}
    assert str(ca_bundle(settings)) == "/home/me/bundle.pem"


@pytest.mark.parametrize("option", ["index-url", "extra-index-url"])
@pytest.mark.parametrize("credentials", ["me:pass", "pass", ":pass"])
def test_credentials_are_refused_and_not_repeated(option: str, credentials: str) -> None:
    with pytest.raises(SimError, match=rf"{option} for a\.example") as caught:
        pip_conf({option: f"https://{credentials}@a.example/simple"})
    assert "pass" not in str(caught.value)
