"""What runs the cluster of any project has no word of the e-mail pipeline in it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import sim
from release.sources import SERVICES
from sim.targets.publication import repository

KIT = Path(sim.__file__).parent
ROOMS = ("agent", "cloud/control_plane", "cloud/edge", "cluster")
SETTINGS = ("QUEUE_URL", "TOKEN_PARAMETER", "BUCKET", "HEARTBEAT_FILE", "RECEIVE_WAIT_SECONDS")
NAMES = {*SERVICES, *map(repository, SERVICES), *SETTINGS}
WORDS = re.compile(r"\b(e-?mails?|mailbox(es)?|worker)\b", re.IGNORECASE)


def words_of_ours(code: str) -> list[str]:
    """The texts and names in some code that are of the pipeline: docstrings too, imports not."""
    found = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found += [node.value] if node.value in NAMES or WORDS.search(node.value) else []
        elif isinstance(node, ast.FunctionDef | ast.ClassDef | ast.arg):
            name = node.arg if isinstance(node, ast.arg) else node.name
            found += [name] if WORDS.search(name.replace("_", " ")) else []
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_no_text_and_no_name_is_of_the_pipeline(room: str) -> None:
    files = list((KIT / room).rglob("*.py"))
    assert files
    assert {each.name: found for each in files if (found := words_of_ours(each.read_text()))} == {}


@pytest.mark.parametrize("code", ['x = "worker"', "def send_email(): ...", '"""The e-mails."""', 'x = "emails/api"'])
def test_a_word_of_the_pipeline_is_found(code: str) -> None:
    assert words_of_ours(code)
