"""What a new version says of itself in its service's changelog."""

from __future__ import annotations

from release.versions import Bump, Change

_HEADINGS = {Change.BREAKING: "Breaking", Change.FEATURE: "New", Change.REPAIR: "Repaired"}


def changelog(made: Bump, so_far: str) -> str:
    """The service's changelog with this version on top. `so_far` is what it was, "" if there was none."""
    title = f"# Changes of the {made.service}\n"
    sections = [
        f"### {heading}\n\n" + "".join(f"- {each.what} ({each.id[:7]})\n" for each in chosen)
        for change, heading in _HEADINGS.items()
        if (chosen := [each for each in made.commits if each.change is change])
    ]
    older = so_far.removeprefix(title).strip()
    return "\n".join([title, f"## {made.version}\n", *sections, *([f"{older}\n"] if older else [])])
