"""Documents for the tests: the shipped ones, and the reference's example agreement, changed.

The example stands in `example.toml` exactly as docs/reference/policy.md prints it.
"""

from __future__ import annotations

import datetime as dt
from functools import cache
from pathlib import Path

from gateway.adapters.policy_folder import read_policies
from gateway.model import Plan, Refusal, SharingRequest
from gateway.policy import Bundle, RecipientKey, decide, load, parse

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLE = (Path(__file__).parent / "example.toml").read_text(encoding="utf-8")
DAY = dt.date(2026, 6, 15)
STUDY = SharingRequest(purpose="national-impact-study", agreement="trafford-stronger-families")
_AROUND = (
    "vocabulary.toml",
    "legal-bases.toml",
    "datasets/family_register.toml",
    "datasets/family_progress.toml",
    "datasets/police_incidents.toml",
    "recipients/ons-linkage-unit.toml",
    "recipients/ons-research.toml",
    "recipients/trafford-mash.toml",
    "recipients/kirklees-partner-agencies.toml",
    "recipients/public.toml",
)
KEYS = {
    "ons-linkage-unit": RecipientKey(key_id="age1one", fingerprint="aa", confirmed=True),
    "ons-research": RecipientKey(key_id="age1two", fingerprint="bb", confirmed=True),
}

Change = tuple[str, str]


@cache
def shipped() -> Bundle:
    """Everything under policies/."""
    return parse(read_policies(REPOSITORY / "policies"))


@cache
def around() -> dict[str, str]:
    """What the example reads besides itself, without the cohorts of other datasets."""
    documents = {
        path: text.decode() for path, text in read_policies(REPOSITORY / "policies").items()
    }
    kept = {path: documents[path] for path in _AROUND}
    vocabulary = kept["vocabulary.toml"]
    start = vocabulary.index("[cohorts.nominated-families]")
    end = vocabulary.index("[cohorts.people-in-police-incidents]")
    later = vocabulary.index("[cohorts.people-in-open-asb-cases]")
    after = vocabulary.index("# ----", later)
    kept["vocabulary.toml"] = vocabulary[:start] + vocabulary[end:later] + vocabulary[after:]
    return kept


def changed(text: str, *changes: Change) -> str:
    """The text with each change made, which must be there to make."""
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


def documents(*changes: Change, **others: str) -> dict[str, str]:
    """The example's documents, the agreement changed; `others` by path with `__` for `/`."""
    beside = {path.replace("__", "/") + ".toml": text for path, text in others.items()}
    return {**around(), "agreements/example.toml": changed(EXAMPLE, *changes), **beside}


def codes(*changes: Change, **others: str) -> set[str]:
    """The codes of every finding of the changed example."""
    _, findings = load(documents(*changes, **others))
    return {finding.code for finding in findings}


def sentences(*changes: Change, **others: str) -> str:
    """Every finding of the changed example, as a reader sees it."""
    _, findings = load(documents(*changes, **others))
    return "\n".join(str(finding) for finding in findings)


def asked(
    *changes: Change,
    on: dt.date = DAY,
    keys: dict[str, RecipientKey] | None = None,
    **others: str,
) -> Plan | Refusal:
    """The decision about the study under the changed example."""
    return decide(STUDY, parse(documents(*changes, **others)), on=on, recipient_keys=keys)


def refused(
    *changes: Change,
    on: dt.date = DAY,
    keys: dict[str, RecipientKey] | None = None,
    **others: str,
) -> dict[str, str]:
    """The refusal of the changed example: code to clause."""
    decision = asked(*changes, on=on, keys=keys, **others)
    assert isinstance(decision, Refusal), "it was permitted"
    return {reason.code: reason.clause for reason in decision.reasons}


def permitted(
    *changes: Change,
    on: dt.date = DAY,
    keys: dict[str, RecipientKey] | None = None,
    **others: str,
) -> Plan:
    """The Plan of the changed example."""
    decision = asked(*changes, on=on, keys=keys, **others)
    assert isinstance(decision, Plan), decision
    return decision


def prohibiting(word: str) -> Change:
    """The change that prohibits one word by clause 3.9."""
    rule = f'"{word}" = {{ clause = "3.9", reason = "No." }}'
    return "[prohibitions]\n", f"[prohibitions]\n{rule}\n"
