"""The picture of the dashboard is that of the dashboard."""

from __future__ import annotations

import re

from checks.dashboard import DASHBOARD, PICTURE, body, picture


def test_the_committed_picture_is_what_the_dashboard_is() -> None:
    assert PICTURE.read_text() == picture(body(DASHBOARD.read_text()))


def test_every_metric_of_the_dashboard_is_in_the_picture() -> None:
    dashboard = body(DASHBOARD.read_text())
    metrics = [each for widget in dashboard["widgets"] for each in widget["properties"].get("metrics", [])]
    assert len(metrics) > 20
    drawn = picture(dashboard)
    assert all(f"{metric[-1]['label']} ({metric[1]}" in drawn for metric in metrics)


def test_no_widget_lies_on_another() -> None:
    cells = [
        (x, y)
        for widget in body(DASHBOARD.read_text())["widgets"]
        for x in range(widget["x"], widget["x"] + widget["width"])
        for y in range(widget["y"], widget["y"] + widget["height"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


def test_what_the_workers_log_is_what_the_alarm_counts() -> None:
    root = DASHBOARD.parents[2]
    pattern = re.search(r'message = \\"([^"\\]+)\\"', (root / "terraform/services/worker/alarms.tf").read_text())
    assert pattern
    assert f'"{pattern[1]}"' in (root / "services/worker/worker.py").read_text()
