"""The next version, and the changelog."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.changelog import changelog
from release.errors import NotAVersion
from release.versions import Bump, Change, Commit, Version, bump

VERSIONS = st.builds(Version, *[st.integers(0, 10**6)] * 3)
SUBJECTS = st.sampled_from(
    ["feat: a", "feat(api)!: b", "fix: c", "docs: d", "test(e2e): e", "Plain words", "chore(deps): f"]
)
COMMITS = st.lists(st.builds(Commit, id=st.just("a" * 40), message=SUBJECTS), max_size=6)


@pytest.mark.parametrize(
    ("message", "change"),
    [
        ("feat: a thing", Change.FEATURE),
        ("feat(api): a thing", Change.FEATURE),
        ("feat(api)!: a thing", Change.BREAKING),
        ("fix!: a thing", Change.BREAKING),
        ("fix: a thing\n\nWhy.\n\nBREAKING CHANGE: the field is gone", Change.BREAKING),
        ("fix: a thing", Change.REPAIR),
        ("chore(deps): boto3 1.2.3", Change.REPAIR),
        ("docs: a word", Change.NONE),
        ("test(e2e): one more", Change.NONE),
        ("The worker stores ten at once", Change.REPAIR),
        ("feature: no such type", Change.REPAIR),
        ("feat:no space", Change.REPAIR),
    ],
)
def test_a_commit_says_how_much_it_changes(message: str, change: Change) -> None:
    assert Commit("a" * 40, message).change is change


@pytest.mark.parametrize(
    ("before", "change", "after"),
    [
        ("1.2.3", Change.REPAIR, "1.2.4"),
        ("1.2.3", Change.FEATURE, "1.3.0"),
        ("1.2.3", Change.BREAKING, "2.0.0"),
        ("0.2.3", Change.BREAKING, "0.3.0"),
        ("0.2.3", Change.NONE, "0.2.3"),
    ],
)
def test_the_greatest_change_decides(before: str, change: Change, after: str) -> None:
    assert str(Version.parse(before).after(change)) == after


@pytest.mark.parametrize("text", ["", "1", "1.2", "v1.2.3", "01.2.3", "1.2.3-rc1", "1.2.3.4", "1.2.x", "١.2.3"])
def test_what_is_not_a_version_is_refused_with_the_remedy(text: str) -> None:
    with pytest.raises(NotAVersion, match=r"version\.txt must hold one such as 1\.2\.3"):
        Version.parse(text)


@given(VERSIONS)
def test_a_version_reads_as_it_is_written_and_grows_with_the_change(version: Version) -> None:
    assert Version.parse(str(version)) == version
    grown = [version.after(change) for change in Change]
    assert all(less <= more for less, more in pairwise(grown))
    assert version < grown[1]


@given(VERSIONS, COMMITS)
def test_there_is_a_next_version_exactly_if_a_commit_changes_something(version: Version, commits: list[Commit]) -> None:
    made = bump("api", version, commits)
    assert (made is not None) == any(commit.change for commit in commits)
    assert made is None or (made.version > version and set(made.commits) <= set(commits))


def test_the_changelog_has_the_newest_on_top_and_keeps_the_rest() -> None:
    fix, feature = Commit("b" * 40, "fix: the drain"), Commit("c" * 40, "feat(api): answers faster\n\nBody.")
    first = changelog(Bump("api", Version(0, 1, 0), Version(0, 1, 1), (fix,)), "")
    assert first == "# Changes of the api\n\n## 0.1.1\n\n### Repaired\n\n- the drain (bbbbbbb)\n"
    second = changelog(Bump("api", Version(0, 1, 1), Version(0, 2, 0), (feature, fix)), first)
    assert second == (
        "# Changes of the api\n\n## 0.2.0\n\n### New\n\n- answers faster (ccccccc)\n\n### Repaired\n\n"
        "- the drain (bbbbbbb)\n\n## 0.1.1\n\n### Repaired\n\n- the drain (bbbbbbb)\n"
    )
