"""What changed, and the next version, in a real repository."""

from __future__ import annotations

import json

import pytest

from release.cli import main
from release.errors import CommandFailed
from release.git import Checkout
from tests.unit.release.conftest import Repository


def test_a_range_of_commits_says_which_files_it_touched_even_those_that_are_gone(repository: Repository) -> None:
    repository.commit("Two files", {"services/api/app.py": "1", "a b.txt": "é"})
    (repository.root / "a b.txt").rename(repository.root / "moved.txt")
    repository.commit("Moved", {})
    assert set(Checkout(repository.root).changed("HEAD~2..HEAD")) == {"services/api/app.py", "a b.txt", "moved.txt"}
    assert Checkout(repository.root).changed("HEAD..HEAD") == []


def test_a_range_that_is_not_there_is_an_error_with_a_remedy(repository: Repository) -> None:
    with pytest.raises(CommandFailed, match="git fetch --unshallow"):
        Checkout(repository.root).changed("nowhere..HEAD")


def test_changed_names_the_services_of_a_range(repository: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    repository.commit("docs: a word", {"README.md": "1"})
    repository.commit("fix: both", {"services/pipeline/message.py": "two"})
    root = ["--root", str(repository.root)]
    assert main([*root, "changed", "HEAD~1..HEAD", "--json"]) == 0
    assert main([*root, "changed", "HEAD~2..HEAD~1", "--json"]) == 0
    assert capsys.readouterr().out == '["api", "worker"]\n[]\n'


def test_bump_writes_the_next_version_of_each_changed_service_and_nothing_when_run_again(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit("feat(api): one", {"services/api/app.py": "1"})
    repository.commit("fix: shared", {"services/pipeline/message.py": "two"})
    repository.commit("Elsewhere", {"sim/cli.py": "1"})
    root = ["--root", str(repository.root)]
    assert main([*root, "changed", "--json"]) == 0
    assert main([*root, "bump", "--json"]) == 0
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert said == [
        ["api", "worker"],
        [{"service": "api", "version": "0.2.0"}, {"service": "worker", "version": "0.1.1"}],
    ]
    assert (repository.root / "services/api/version.txt").read_text() == "0.2.0\n"
    log = (repository.root / "services/api/CHANGELOG.md").read_text()
    assert "one (" in log
    assert "shared (" in log
    assert "Elsewhere" not in log
    repository.commit("chore(release): api 0.2.0, worker 0.1.1", {})
    assert main([*root, "bump", "--json"]) == 0
    assert capsys.readouterr().out == "[]\n"


def test_a_version_is_of_the_commit_that_set_it_whatever_came_later(repository: Repository) -> None:
    repository.commit("fix: one", {"services/api/app.py": "1"})
    release = repository.commit("chore(release): api 0.1.1", {"services/api/version.txt": "0.1.1\n"})
    repository.commit("fix: merged before 0.1.1 was published", {"services/api/app.py": "2"})
    checkout = Checkout(repository.root)
    assert checkout.version_set_by("api") == checkout.full(release[:12]) == release
    assert [each.what for each in checkout.since_release("api")] == ["merged before 0.1.1 was published"]


def test_a_version_file_that_holds_no_version_is_an_error(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit("broken", {"services/api/version.txt": "next"})
    assert main(["--root", str(repository.root), "changed"]) == 1
    assert "'next' is not a version" in capsys.readouterr().err
