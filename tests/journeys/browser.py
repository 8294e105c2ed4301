"""Chromium for journeys: found on this machine, and a visit that fails by itself when the page had any trouble."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, FrameLocator, Locator, Page, Request, Response, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
SIZES = {"phone": (390, 844), "desktop": (1440, 900)}
HOW_TO_GET_ONE = (
    "No Chromium was found: the journeys need one. Install it (Debian and Ubuntu: `apt-get install chromium`; macOS: "
    "`brew install --cask chromium`), or set CHROMIUM to the path of a Chromium or Chrome that you have."
)
#: A page that is left while something is still on its way: the browser's own doing, not a failure.
LEFT_BEHIND = "net::ERR_ABORTED"
PATIENCE_MS = 15_000

Visiting = Callable[..., AbstractContextManager["Visit"]]


def find_browser() -> str | None:
    """`$CHROMIUM`, else the first of the usual names on the path; None when there is none."""
    named = os.environ.get("CHROMIUM")
    if named:
        return shutil.which(named)
    return next((found for name in NAMES if (found := shutil.which(name))), None)


@dataclass
class Visit:
    """One person's browser on one site, and everything that went wrong in it."""

    page: Page
    base: str
    faults: list[str] = field(default_factory=list)

    def go(self, path: str) -> Page:
        self.page.goto(self.base + path)
        return self.page

    def find(self, testid: str) -> Locator:
        return self.page.get_by_test_id(testid)

    def frame(self) -> FrameLocator:
        return self.page.frame_locator('[data-testid="game-frame"]')

    def path(self) -> str:
        return self.page.url.removeprefix(self.base).partition("?")[0]

    def listen(self) -> None:
        """Notes console errors, policy violations, scripts' errors, failed requests and held connections."""
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.faults.append(f"script error: {error}"))
        self.page.on("requestfailed", self._failed)
        self.page.on("response", self._answered)
        self.page.on("websocket", lambda socket: self.faults.append(f"held connection: {socket.url}"))
        self.page.on("crash", lambda _: self.faults.append("the page crashed"))

    def _console(self, message: ConsoleMessage) -> None:
        # A refusal by the page's policy is told here, too, as an error.
        if message.type == "error":
            self.faults.append(f"console: {message.text}")

    def _failed(self, request: Request) -> None:
        if request.failure != LEFT_BEHIND:
            self.faults.append(f"failed: {request.method} {request.url}: {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.faults.append(f"{response.status}: {response.request.method} {response.url}")
        if response.request.resource_type == "eventsource":
            self.faults.append(f"held connection: {response.url}")


@pytest.fixture(scope="module")
def launched() -> Iterator[list[Browser]]:
    """The module's browser, once it is needed: a list of none or one."""
    made: list[Browser] = []
    with sync_playwright() as playwright:
        found = find_browser()
        if found:
            made.append(
                playwright.chromium.launch(
                    executable_path=found,
                    args=["--no-sandbox", "--disable-dev-shm-usage", "--host-resolver-rules=MAP *.localhost 127.0.0.1"],
                )
            )
        yield made
        for one in made:
            one.close()


@pytest.fixture
def visit(launched: list[Browser], tmp_path: Path) -> Visiting:
    """`with visit(url, "phone") as player:` a browser of a new person; trouble on the way fails the test at the end."""

    @contextmanager
    def visiting(base: str, size: str, *, script: bool = True) -> Iterator[Visit]:
        assert launched, HOW_TO_GET_ONE
        width, height = SIZES[size]
        context = launched[0].new_context(
            viewport={"width": width, "height": height}, has_touch=size == "phone", is_mobile=size == "phone",
            reduced_motion="reduce", java_script_enabled=script,
        )  # fmt: skip
        context.set_default_timeout(PATIENCE_MS)
        person = Visit(context.new_page(), base)
        person.listen()
        try:
            yield person
            assert not person.faults, "\n".join(person.faults)
        except BaseException as error:
            picture = tmp_path / f"{base.partition('//')[2].partition('.')[0]}-{size}.png"
            person.page.screenshot(path=picture)
            error.add_note(f"The page at that moment ({person.page.url}): {picture}")
            for fault in person.faults:
                error.add_note(fault)
            raise
        finally:
            context.close()

    return visiting
