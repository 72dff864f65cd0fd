"""Docker's client with a login of its own, against a Docker that only prints what it was given."""

from __future__ import annotations

import json
import pwd
from pathlib import Path

import pytest
from python_on_whales.exceptions import DockerException

from release.docker_client import account_of, logged_in

HOST = "1.dkr.ecr.eu-central-1.amazonaws.com"


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's configuration, with a login, helpers and a context."""
    (tmp_path / "contexts/meta").mkdir(parents=True)
    (tmp_path / "contexts/meta/kept").touch()
    configured = {"auths": {"example.com": {"auth": "c2VjcmV0"}}, "credsStore": "none", "currentContext": "lab"}
    (tmp_path / "config.json").write_text(json.dumps(configured))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    return tmp_path


def test_the_login_is_in_a_folder_of_its_own_beside_the_context_and_gone_afterwards(own: Path) -> None:
    before = (own / "config.json").read_text()
    with logged_in(HOST, "dG9rZW4=") as docker:
        folder = Path(str(docker.client_config.config))
        file = folder / "config.json"
        assert json.loads(file.read_text()) == {"auths": {HOST: {"auth": "dG9rZW4="}}, "currentContext": "lab"}
        assert file.stat().st_mode & 0o077 == 0, "for nobody else to read"
        assert (folder / "contexts/meta/kept").exists()
    assert not folder.exists()
    assert (own / "config.json").read_text() == before
    assert (own / "contexts/meta/kept").exists()


def test_whoever_has_no_configuration_can_log_in_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "none"))
    with logged_in(HOST, "dG9rZW4=") as docker:
        file = Path(str(docker.client_config.config)) / "config.json"
        assert json.loads(file.read_text()) == {"auths": {HOST: {"auth": "dG9rZW4="}}}
    assert not (tmp_path / "none").exists()


def test_a_user_without_a_home_can_log_in_too(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DOCKER_CONFIG", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", {}.__getitem__)
    with logged_in(HOST, "dG9rZW4=") as docker:
        assert (Path(str(docker.client_config.config)) / "config.json").is_file()


@pytest.mark.parametrize("options", [[], ["--config", "/gone"]])
def test_a_failure_names_the_command_its_last_words_and_the_remedy(options: list[str]) -> None:
    error = DockerException(["docker", *options, "image", "push", "a"], 1, stderr=b"first\nno space left\n")
    assert account_of(error, "Make room.") == "`docker image push` failed:\nfirst\nno space left\nMake room."
