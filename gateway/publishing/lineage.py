"""A release as OpenLineage events: which columns of which datasets made which output.

A run has a START and one end. The column facet of each output names the source
columns, the treatment and whether it hides values, and the clause that let it.

Source: OpenLineage 2-0-2, RunEvent and the run cycle; ColumnLineageDatasetFacet 1-2-0.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from gateway.policy.tracing import Trace
from gateway.publishing.names import urn

NAMESPACE = "gateway"
PRODUCER = urn("lineage", 1)
EVENT_SCHEMA = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
FACET_SCHEMA = (
    "https://openlineage.io/spec/facets/1-2-0/ColumnLineageDatasetFacet.json"
    "#/$defs/ColumnLineageDatasetFacet"
)
# A run ends once: what a release becomes after its end is told by the same event.
ENDS = {
    "forwarded": "COMPLETE",
    "acknowledged": "COMPLETE",
    "closed": "COMPLETE",
    "refused": "ABORT",
    "held": "ABORT",
    "withdrawn": "ABORT",
}
# Release ids are random; a run id has to be a UUID, and always the same one.
_RUNS = uuid.uuid5(uuid.NAMESPACE_URL, "urn:gateway:release")


def lineage_events(
    release: str,
    *,
    state: str,
    purpose: str,
    agreement: str,
    started: dt.datetime,
    ended: dt.datetime,
    leaving: Sequence[Trace],
) -> tuple[Mapping[str, Any], ...]:
    """The START event of a release and, once it has ended, its end.

    Args:
        release: its id.
        state: where it stands; a state that is no end gives the START alone.
        purpose: what it was for.
        agreement: what permitted it.
        started: when it was decided.
        ended: when the last of it left; of a release that never left, when it was decided.
        leaving: the traces of its outputs.
    """
    about = {
        "run": {"runId": str(uuid.uuid5(_RUNS, release))},
        "job": {"namespace": NAMESPACE, "name": f"{agreement}.{purpose}"},
        "producer": PRODUCER,
        "schemaURL": EVENT_SCHEMA,
    }
    datasets = _datasets(release, leaving)
    start = {"eventType": "START", "eventTime": started.isoformat(), **about, **datasets}
    if state not in ENDS:
        return (start,)
    end = {"eventType": ENDS[state], "eventTime": ended.isoformat(), **about}
    left = ENDS[state] == "COMPLETE"
    return (start, end | (datasets if left else {"inputs": [], "outputs": []}))


def _datasets(release: str, leaving: Sequence[Trace]) -> dict[str, Any]:
    sources = sorted({dataset for trace in leaving for dataset, _ in trace.sources})
    outputs = sorted({trace.output for trace in leaving})
    return {
        "inputs": [{"namespace": NAMESPACE, "name": dataset} for dataset in sources],
        "outputs": [
            {
                "namespace": NAMESPACE,
                "name": f"{release}.{output}",
                "facets": {"columnLineage": _columns([t for t in leaving if t.output == output])},
            }
            for output in outputs
        ],
    }


def _columns(leaving: Sequence[Trace]) -> Mapping[str, Any]:
    fields = {
        trace.column: {
            "inputFields": [
                {
                    "namespace": NAMESPACE,
                    "name": dataset,
                    "field": column,
                    "transformations": [_transformation(trace)],
                }
                for dataset, column in trace.sources
            ]
        }
        for trace in leaving
    }
    return {"_producer": PRODUCER, "_schemaURL": FACET_SCHEMA, "fields": fields}


def _transformation(trace: Trace) -> Mapping[str, Any]:
    kept = trace.treat == "keep"
    return {
        "type": "DIRECT",
        "subtype": "IDENTITY" if kept else "TRANSFORMATION",
        "description": f"{trace.treat}, clause {trace.clause} of {trace.agreement}",
        "masking": not kept,
    }
