"""The live page in a real browser, for the tests of several rooms."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from sim.host.waiting import until
from tests.npm import installed

Scheme = Literal["light", "dark"]
SECONDS: Final = 30
_SIZE: Final = ViewportSize(width=1440, height=900)
_SCREENSHOTS: Final = "SIM_SCREENSHOTS"
"""The variable that names a folder for screenshots, such as docs/live."""
# Nothing that it would look for in the network, and no sandbox, which root cannot have.
_QUIET: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Chromium without a window, for a module: until it ends, no test of the process can run an event loop."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=_QUIET)
        yield started
        started.close()


@contextmanager
def opened(browser: Browser, link: str, scheme: Scheme = "light") -> Iterator[Page]:
    """The page of a link, once it shows a picture. Whatever goes wrong in its code fails the test."""
    wrong: list[str] = []
    with browser.new_context(viewport=_SIZE, color_scheme=scheme, reduced_motion="reduce") as context:
        page = context.new_page()
        page.set_default_timeout(SECONDS * 1000)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None)
        page.goto(link)
        page.wait_for_selector("[data-link=live] .instance")
        yield page
    assert not wrong


def accessible(page: Page, *rules: str) -> None:
    """Checks what is shown now by axe, against WCAG 2.2 AA and best practices, or against these rules alone."""
    if not page.evaluate("'axe' in window"):
        # As the page's own code would not be let in: through the browser's tools, past its policy.
        page.evaluate((installed("axe-core") / "node_modules" / "axe-core" / "axe.min.js").read_text())
    found = page.evaluate("(rules) => axe.run(rules.length ? {runOnly: rules} : {})", rules)
    broken = [(each["id"], [node["html"] for node in each["nodes"]]) for each in found["violations"]]
    assert not broken, broken
    assert found["passes"]


def value(page: Page, name: str) -> float:
    """A number that the page shows."""
    return float(page.inner_text(f'[data-value="{name}"]').replace(",", ""))


def shows(page: Page, wanted: dict[str, float], seconds: float = SECONDS) -> None:
    """Waits until the page shows these numbers. Raises TimedOut."""

    def shown() -> dict[str, float]:
        return {name: value(page, name) for name in wanted}

    until(lambda: shown() == wanted, f"the page to show {wanted}", seconds=seconds, seen=shown)


def comes_true(page: Page, expression: str, seconds: float = SECONDS) -> None:
    """Waits until an expression of JavaScript is true. Raises TimedOut.

    The browser's own waiting would compile it in the page, which its policy forbids.
    """
    until(lambda: page.evaluate(expression), expression, seconds=seconds, seen=lambda: page.inner_text("main"))


def photograph(page: Page, name: str, otherwise: Path) -> Path:
    """A screenshot of the window, in the folder of SIM_SCREENSHOTS, or else in this one."""
    path = Path(os.environ.get(_SCREENSHOTS, otherwise)) / f"{name}.png"
    page.screenshot(path=path)
    return path


def texts(page: Page, selector: str) -> list[Any]:
    """The text of each element."""
    return page.locator(selector).all_inner_texts()
