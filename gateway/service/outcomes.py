"""What is kept of a job's end: ids, codes, sentences of policies, and rounded counts.

A job is shown to everyone who may see releases; the exact record is read elsewhere,
by those alone whom the permission table names.

Source: security points 1 and 19; gateway.model.permissions, `release-record-read`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.adapters.release_store import PackageRecord, ReleaseRecord
from gateway.errors import GatewayError
from gateway.model.extracts import ExtractRecord
from gateway.model.rounding import rounded
from gateway.workflows.sharing import Outcome


def of_extract(record: ExtractRecord) -> dict[str, Any]:
    """What came of a check; the receipt has the rest."""
    return {
        "extract": record.id,
        "state": record.state,
        "rows": record.rows,
        "accepted": record.accepted,
        "quarantined": record.quarantined,
        "findings": len(record.findings),
    }


def of_share(outcome: Outcome) -> dict[str, Any]:
    """What came of a release or a rehearsal."""
    people: dict[str, Any] = {}
    if outcome.state in ("forwarded", "recorded", "would-forward"):
        people = _people(outcome.received, outcome.forwarded, outcome.withheld)
    return {
        "state": outcome.state,
        "release": outcome.release,
        "policy_digest": outcome.policy_digest,
        "packages": [package.package for package in outcome.packages],
        **people,
        "refusal": [
            {"code": each.code, "clause": each.clause, "reason": each.reason}
            for each in outcome.refusal
        ],
        "warnings": list(outcome.warnings),
        "columns": {name: list(columns) for name, columns in outcome.columns.items()},
    }


def of_release(release: ReleaseRecord, packages: Sequence[PackageRecord]) -> dict[str, Any]:
    """What came of a release that an earlier attempt of the job has made."""
    told = release.record
    people: dict[str, Any] = {}
    if "received" in told:
        people = _people(told["received"], told["forwarded"], told.get("withheld", {}))
    return {
        "state": release.state.value,
        "release": release.id,
        "policy_digest": release.policy_digest,
        "packages": [package.id for package in packages],
        **people,
        "refusal": [
            {"code": code, "clause": "", "reason": reason}
            for code, reason in told.get("refusal", [])
        ],
    }


def of_no(state: str, no: GatewayError) -> dict[str, Any]:
    """A release under way that was refused or held: nothing of it left."""
    reason = f"{no.sentence} {no.remedy}".strip()
    return {
        "state": state,
        "release": "",
        "packages": [],
        "refusal": [{"code": no.code, "clause": "", "reason": reason}],
    }


def of_fault(fault: GatewayError) -> dict[str, Any]:
    """Why a job failed, in one sentence, and what to do."""
    return {"sentence": fault.sentence, "remedy": fault.remedy}


def _people(
    received: int | str, forwarded: int | str, withheld: Mapping[str, int | str]
) -> dict[str, Any]:
    return {
        "received": _rounded(received),
        "forwarded": _rounded(forwarded),
        "withheld": {why: _rounded(count) for why, count in withheld.items()},
    }


def _rounded(count: int | str) -> int | str:
    return rounded(count) if isinstance(count, int) else count
