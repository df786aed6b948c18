"""The two ends the demo talks to: the bridge's API as a partner, and ConnectWise as a person."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx

from infra.local.patience import PATIENCE_SECONDS

Json = dict[str, Any]

POLL_SECONDS = 0.25
MAX_PAGES = 1_000


class NotObservedError(Exception):
    """What a step waited for did not show in time."""


class BridgeApi:
    """The bridge's HTTP API with a partner's token."""

    def __init__(self, api_url: str, token: str) -> None:
        self._client = httpx.Client(
            base_url=api_url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=PATIENCE_SECONDS,
        )

    def close(self) -> None:
        self._client.close()

    def call(self, method: str, path: str, *, expect: int, body: Json | None = None) -> Json:
        """Make a call and return its JSON; NotObservedError for another status than expected."""
        answer = self.answer(method, path, body=body)
        if answer.status_code != expect:
            raise NotObservedError(
                f"{method} {path} answered {answer.status_code}: {answer.text[:300]}"
            )
        document: Json = answer.json() if answer.content else {}
        return document

    def answer(self, method: str, path: str, *, body: Json | None = None) -> httpx.Response:
        return self._client.request(method, path, json=body)

    def get(self, path: str) -> Json:
        return self.call("GET", path, expect=200)

    def items(self, path: str) -> Iterator[Json]:
        """Yield all items of a list, page by page."""
        sign = "&" if "?" in path else "?"
        cursor = ""
        for _ in range(MAX_PAGES):
            page = self.get(f"{path}{sign}limit=200{cursor}")
            yield from page["items"]
            if not page["next_cursor"]:
                return
            cursor = f"&cursor={page['next_cursor']}"

    def wait_for(self, path: str, accept: Callable[[Json], bool]) -> Json:
        """Read a resource until it is as it should be; NotObservedError with its last state."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        last = "nothing"
        while time.monotonic() < deadline:
            answer = self.answer("GET", path)
            last = f"{answer.status_code} {answer.text[:300]}"
            if answer.status_code == httpx.codes.OK and accept(answer.json()):
                document: Json = answer.json()
                return document
            time.sleep(POLL_SECONDS)
        raise NotObservedError(f"{path} within {PATIENCE_SECONDS:.0f} s; last seen: {last}")


class ConnectWisePerson:
    """Somebody who works in ConnectWise: edits records and looks at the books."""

    def __init__(self, base_url: str) -> None:
        self._client = httpx.Client(base_url=f"{base_url}/_sandbox", timeout=PATIENCE_SECONDS)

    def close(self) -> None:
        self._client.close()

    def do(self, method: str, path: str, /, **body: Any) -> Any:
        """Carry out one command of the sandbox's interface and return its answer."""
        answer = self._client.request(method, path, json=body or None)
        answer.raise_for_status()
        return answer.json()

    def truth(self) -> Json:
        truth: Json = self.do("GET", "/truth")
        return truth

    def calls(self) -> dict[str, int]:
        """Return how often each route of ConnectWise's API was called since the last reset."""
        counts: dict[str, int] = self.do("GET", "/calls")["counts"]
        return counts

    def reset_calls(self) -> None:
        self.do("DELETE", "/calls")
