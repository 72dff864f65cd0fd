"""uv uses the package index of pip's configuration."""

from __future__ import annotations

from sim.host.package_index import uv_variables

_CONFIG = r"""global.index-url='https://packages.example/simple'
global.extra-index-url='https://a.example/simple https://b.example/simple'
install.find-links='\n/srv/wheels\n/srv/more wheels'
:env:.cert='/etc/company.pem'
global.timeout='60'
"""


def test_settings_that_only_pip_has_are_passed_to_uv() -> None:
    found = uv_variables(_CONFIG, {})
    assert found["UV_DEFAULT_INDEX"] == "https://packages.example/simple"
    assert found["UV_INDEX"] == "https://a.example/simple https://b.example/simple"
    assert found["UV_INDEX_STRATEGY"] == "unsafe-best-match"
    assert found["SSL_CERT_FILE"] == "/etc/company.pem"
    assert "/srv/wheels" in found["UV_FIND_LINKS"].split(",")


def test_variables_of_uv_that_are_set_stay_unchanged() -> None:
    given = {"UV_INDEX_URL": "https://mine.example/simple", "SSL_CERT_FILE": "/mine.pem"}
    assert not {"UV_DEFAULT_INDEX", "SSL_CERT_FILE"} & uv_variables(_CONFIG, given).keys()


def test_pip_without_settings_adds_no_variables() -> None:
    assert uv_variables("", {}) == {}
