"""A person at the partner's page, in a real Chromium, over the deployed local system."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Locator, Page, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from infra.config import PROJECT_ROOT
from infra.local.system import LocalSystem, PartnerUser

TOOLS = PROJECT_ROOT / ".tools" / "chromium"
CHROMIUM = TOOLS / "unpacked" / "chromium"
# The unpacked one is for Linux x86-64; elsewhere Playwright looks for its own.
_UNPACKED = CHROMIUM if (sys.platform, platform.machine()) == ("linux", "x86_64") else None
_PATIENCE_MILLISECONDS = 60_000  # for one step; a busy machine takes some seconds
_ARGUMENTS = (
    "--no-sandbox",  # the tests may run as root
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
)
_VIOLATIONS = """
    window.violations = [];
    addEventListener("securitypolicyviolation", (event) =>
        window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
"""

_ROWS = """
    [...document.querySelector("table:has(tbody)").tBodies[0].rows].map((row) =>
        [...row.cells].map((cell) => cell.innerText))
"""


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """Run the Chromium that `make` unpacked, with the libraries and the font beside it."""
    environment: dict[str, str | float | bool] = {
        **os.environ,
        "LD_LIBRARY_PATH": str(TOOLS / "unpacked" / "al2023" / "lib"),
        "FONTCONFIG_FILE": str(TOOLS / "fonts.conf"),
        "XDG_CACHE_HOME": str(TOOLS),
    }
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=_UNPACKED, args=list(_ARGUMENTS), env=environment
        )
        yield browser
        browser.close()


@dataclass
class Person:
    """A partner's user in a browser window of his own."""

    page: Page
    system: LocalSystem
    user: PartnerUser
    requested: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        """Go to an address of the page, and sign in on the way."""
        self.page.goto(self.system.page_url + path)
        self.sign_in()

    def sign_in(self) -> None:
        """Fill in the hosted page, as Cognito shows it."""
        self.page.locator("#username").fill(self.user.email)
        self.page.locator("#password").fill(self.user.password)
        self.page.locator("button[type=submit]").click()
        self.page.wait_for_url(f"{self.system.page_url}/**")
        self.page.get_by_role("navigation").first.wait_for()

    def follow(self, name: str) -> None:
        """Follow a link of the navigation, by its text."""
        self.page.get_by_role("navigation").get_by_role("link", name=name).first.click()
        self.heading(name).wait_for()

    def heading(self, name: str) -> Locator:
        return self.page.get_by_role("heading", name=name, exact=True, level=1)

    def rows(self) -> list[list[str]]:
        """Every row of the first table, once it has some."""
        self.page.locator("table tbody tr").first.wait_for()
        self.page.locator("table tbody [role=status]").wait_for(state="detached")
        rows: list[list[str]] = self.page.evaluate(_ROWS)
        return rows

    def notice(self, text: str) -> None:
        """Wait until the page tells this."""
        try:
            self.page.get_by_text(text).filter(visible=True).first.wait_for()
        except PlaywrightTimeoutError as error:
            shown = self.page.locator("main").inner_text()
            raise AssertionError(f"{text!r} is missing in: {shown}") from error

    def confirm(self, name: str) -> None:
        """Press a button that asks first, and agree."""
        self.page.get_by_role("main").get_by_role("button", name=name, exact=True).first.click()
        self.page.get_by_role("dialog").get_by_role("button", name=name, exact=True).click()

    @property
    def path(self) -> str:
        """Where the person is, without the host."""
        parts = urlsplit(self.page.url)
        return parts.path + (f"?{parts.query}" if parts.query else "")

    def violations(self) -> list[str]:
        """What the browser refused for the page's own policy, on this document."""
        found: list[str] = self.page.evaluate("window.violations")
        return found

    def elsewhere(self) -> set[str]:
        """Every origin that was asked, beside the page's and the one to sign in at."""
        known = {self.system.page_url, self.system.outputs.service["LoginUrl"]}
        return {_origin(url) for url in self.requested if not url.startswith("data:")} - known


@dataclass(frozen=True)
class Chromium:
    """Opens windows on a system's page."""

    browser: Browser
    system: LocalSystem

    @contextmanager
    def person(self, partner_id: str, **settings: Any) -> Iterator[Person]:
        """A new user of the partner in a new window; `settings` are those of a context."""
        with self._window(**settings) as context:
            page = context.new_page()
            person = Person(page, self.system, self.system.new_user(partner_id))
            page.add_init_script(_VIOLATIONS)
            page.on("request", lambda request: person.requested.append(request.url))
            page.on("pageerror", lambda error: person.broken.append(str(error)))
            yield person

    @contextmanager
    def _window(self, **settings: Any) -> Iterator[BrowserContext]:
        settings = {"viewport": {"width": 1400, "height": 900}, **settings}
        context = self.browser.new_context(**settings)
        context.set_default_timeout(_PATIENCE_MILLISECONDS)
        yield context
        context.close()


def serious_findings(page: Page) -> list[str]:
    """What axe calls serious or critical on the screen as it is."""
    page.evaluate(_axe())
    findings = page.evaluate("axe.run().then((found) => found.violations)")
    return [
        f"{finding['id']}: {node['target']} {node['failureSummary']}"
        for finding in findings
        if finding["impact"] in {"serious", "critical"}
        for node in finding["nodes"]
    ]


@cache
def _axe() -> str:
    return (TOOLS / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def storage(page: Page) -> str:
    """Everything that the page keeps in the browser beyond its memory."""
    kept = page.evaluate("[Object.entries(localStorage), Object.entries(sessionStorage)]")
    return json.dumps(kept) + json.dumps(page.context.cookies(), default=str)
