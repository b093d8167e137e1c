"""Counts for the machine that watches this one: states and routes, never people.

What stands in the tables is counted when it is asked for, so that every process gives
the same answer; requests are counted by each process and added up where the
supervisor gives them a common folder.

Source: Prometheus exposition format; security point 19.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import sqlalchemy as sa
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from gateway.adapters import ledger_store
from gateway.adapters.extract_store import EXTRACTS
from gateway.adapters.release_store import RELEASES

SHARED = "PROMETHEUS_MULTIPROC_DIR"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

_REQUESTS = CollectorRegistry()
_ANSWERS = Counter(
    "gateway_answers",
    "Answers by route, method and status.",
    ("route", "method", "status"),
    registry=_REQUESTS,
)
_TIME = Histogram(
    "gateway_answer_seconds",
    "Seconds to an answer, by route.",
    ("route",),
    buckets=_SECONDS,
    registry=_REQUESTS,
)


class _Standing(Collector):
    """What stands in the tables now.

    A `Gauge` would leave each process's numbers in the common folder, and every later
    answer would repeat them.
    """

    def __init__(self, work: Mapping[tuple[str, str], int], connection: sa.Connection) -> None:
        """Take what `exposition` is given."""
        self._work, self._connection = work, connection

    def collect(self) -> Iterator[Metric]:
        """Count the jobs, the extracts, the releases and the ledger."""
        labels = ("kind", "state")
        yield _family("gateway_jobs", "Jobs by kind and state.", labels, self._work.items())
        for name, table in (("extracts", EXTRACTS), ("releases", RELEASES)):
            states = self._connection.execute(
                sa.select(table.c.state, sa.func.count()).group_by(table.c.state)
            )
            rows = [((state,), count) for state, count in states]
            yield _family(f"gateway_{name}", f"{name.capitalize()} by state.", ("state",), rows)
        size = ledger_store.size(self._connection)
        yield _family("gateway_ledger_entries", "Entries of the ledger.", (), [((), size)])


def requested(route: str, method: str, status: int, seconds: float) -> None:
    """Count one answer."""
    _ANSWERS.labels(route, method, str(status)).inc()
    _TIME.labels(route).observe(seconds)


def exposition(work: Mapping[tuple[str, str], int], connection: sa.Connection) -> str:
    """Everything counted, as text.

    Args:
        work: jobs by kind and state.
        connection: of `Database.read`.
    """
    standing = CollectorRegistry()
    standing.register(_Standing(work, connection))
    return (generate_latest(standing) + generate_latest(_requests())).decode("utf-8")


def shared_folder(data: Path) -> Path:
    """An empty folder in which the processes of one web add up their counts."""
    folder = data / "web" / "metrics"
    shutil.rmtree(folder, ignore_errors=True)
    # `parents=True` would make the folder of the web's keys with a mode of its own.
    folder.parent.mkdir(mode=0o700, exist_ok=True)
    folder.mkdir(mode=0o700)
    return folder


def _family(
    name: str, meaning: str, labels: tuple[str, ...], rows: Iterable[tuple[tuple[str, ...], int]]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, meaning, labels=labels)
    for values, count in rows:
        family.add_metric(values, count)
    return family


def _requests() -> CollectorRegistry:
    """What all processes have counted, or this one where they share no folder."""
    if not os.environ.get(SHARED):
        return _REQUESTS
    shared = CollectorRegistry()
    MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
    return shared
