"""What a deployment did, for a person who was not there: on the terminal, and as Markdown in a file.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#adding-a-job-summary
"""

from __future__ import annotations

from pathlib import Path

from release.deploy import Verdict
from release.terraform import Plan

_MOST_CHARACTERS = 200_000
"""GitHub refuses a summary above a mebibyte."""


class Summary:
    """Prints, and appends to the file if there is one."""

    def __init__(self, file: Path | None) -> None:
        self._file = file

    def plan_of(self, root: str, plan: Plan) -> None:
        """Shows what Terraform would do to a root."""
        print(f"{root}:", flush=True)
        self.plan(plan, f"Plan of {root}")

    def plan(self, plan: Plan, title: str = "Plan") -> None:
        """Shows what Terraform would do."""
        print(plan.text, flush=True)
        title = title if plan.changes else f"{title}: no changes"
        self._append(f"<details><summary>{title}</summary>\n\n{_fenced(plan.text)}\n\n</details>")

    def verdict(self, verdict: Verdict) -> None:
        """Shows how it ended."""
        print(verdict, flush=True)
        title, _, why = str(verdict).partition("\n")
        self._append(f"**{title}**" + (f"\n\n{_fenced(why)}" if why else ""))

    def _append(self, text: str) -> None:
        if self._file is not None:
            with self._file.open("a", encoding="utf-8") as file:
                file.write(f"{text}\n\n")


def _fenced(text: str) -> str:
    fence = "`" * 4
    return f"{fence}\n{text[-_MOST_CHARACTERS:].replace(fence, '')}\n{fence}"
