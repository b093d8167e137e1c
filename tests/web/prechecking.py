"""The page's check as it is shipped, in a real Chromium, beside the gateway's own."""

from __future__ import annotations

import base64
import contextlib
import io
import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page, Route

from gateway.adapters.checker_stream import Pass, check_stream
from gateway.intake import told_apart
from gateway.model import Contract
from tests.journeys.browsing import chromium
from tests.journeys.office import REPOSITORY

STATIC = REPOSITORY / "gateway" / "web" / "static"
ADDRESS = "http://precheck.test/"
# What both verdicts say; `rules`, `profile` and `isolated` are the gateway's alone.
SHARED = (
    *("state", "rows", "accepted", "quarantined", "failing_rows", "broken"),
    *("dropped_columns", "findings", "unlisted"),
)
_ASK = """async ([rules, files]) => {
  const worker = new Worker("/precheck.js");
  const answers = [];
  for (const octets of files) {
    const bytes = Uint8Array.from(atob(octets), letter => letter.charCodeAt(0));
    answers.push(await new Promise((answer, failed) => {
      worker.onerror = fault => failed(new Error(fault.message));
      worker.onmessage = ({ data }) => data.kind === "progress" || answer(data);
      worker.postMessage({ rules, file: new File([bytes], "a.csv") });
    }));
  }
  worker.terminate();
  return answers;
}"""


@dataclass(frozen=True)
class InBrowser:
    """A page that can start the worker, and nothing else."""

    page: Page

    def answers(self, rules: Mapping[str, Any], files: Sequence[bytes]) -> list[dict[str, Any]]:
        """What the worker says of each file: its verdict, or why it gives none."""
        sent = [base64.b64encode(octets).decode() for octets in files]
        told: list[dict[str, Any]] = []
        for start in range(0, len(sent), 25):
            told += self.page.evaluate(_ASK, [rules, sent[start : start + 25]])
        return told


@contextlib.contextmanager
def in_browser() -> Iterator[InBrowser]:
    """A Chromium that knows the built worker and has no network."""
    script = (STATIC / "precheck.js").read_text("utf-8")

    def serve(route: Route) -> None:
        if route.request.url == ADDRESS + "precheck.js":
            route.fulfill(body=script, content_type="text/javascript; charset=utf-8")
        else:
            route.fulfill(body="<!doctype html><title>x</title>", content_type="text/html")

    with chromium() as browser:
        page = browser.new_page()
        page.route("**/*", serve)
        page.goto(ADDRESS)
        yield InBrowser(page)


def of_gateway(
    octets: bytes, contract: Contract, *, contracts: Collection[Contract]
) -> dict[str, Any]:
    """The verdict of the gateway's own pass over the bytes, as far as the page gives one."""
    outcome = check_stream(
        io.BytesIO(octets).read,
        Pass(
            contract=contract,
            known=sorted(known_names(contracts)),
            seed=secrets.randbits(64),
            spill=None,
            accepted=lambda _: None,
            failing=lambda _: None,
        ),
    )
    return shared(told_apart(outcome.verdict, contract, contracts).document())


def known_names(contracts: Iterable[Contract]) -> frozenset[str]:
    """The names of columns of all that is published."""
    return frozenset(
        name
        for contract in contracts
        for column in contract.columns
        for name in (column.name, *column.aliases)
    )


def shared(document: Mapping[str, Any]) -> dict[str, Any]:
    """A verdict with lists for tuples and without what only the gateway says."""
    findings = [
        {**found, "first_rows": list(found["first_rows"])} for found in document["findings"]
    ]
    dropped = list(document["dropped_columns"])
    told = {**document, "findings": findings, "dropped_columns": dropped}
    return {name: told[name] for name in SHARED}
