"""What the preview of a change of policy needs of the world, and what it answers.

Source: docs/reference/policy.md, "Preview"; requirement N4.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from gateway import selection
from gateway.disclosure.impact import Impact, Picture
from gateway.model import Plan, Reason, Refusal
from gateway.workflows.sharing import ReleaseRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What policy answers about one purpose, now and with the draft; None where it has no such."""

    purpose: str
    before: Plan | Refusal | None
    after: Plan | Refusal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One purpose seen with both versions, exactly: sealed, never told."""

    decided: Decided
    before: Picture = field(repr=False)
    after: Picture = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PurposeImpact:
    """What a draft does to one purpose.

    `state` is changed, the-same (the draft changes nothing of who and what leaves, so
    nothing was read) or no-extract. `refused_before` and `refused_after` say why nothing
    leaves. `new_fields` are columns that no recipient has received yet.
    """

    purpose: str
    state: str
    refused_before: tuple[Reason, ...] = ()
    refused_after: tuple[Reason, ...] = ()
    impact: Impact | None = None
    new_fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeChange:
    """A section of the privacy notice that has to change: sentences that go and come."""

    heading: str
    gone: tuple[str, ...]
    new: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A remark of the review that the draft brings."""

    weight: str
    code: str
    purpose: str
    clause: str
    sentence: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a draft would do: sentences, each purpose, remarks that are new, notices.

    `titles` says what people call the ids of purposes, recipients and columns among it.
    """

    preview: str
    agreement: str
    digest_before: str
    digest_after: str
    changes: Sequence[str]
    purposes: Sequence[PurposeImpact]
    remarks: Sequence[Problem]
    notices: Sequence[NoticeChange]
    titles: Mapping[str, str]


def together(before: Plan, after: Plan) -> Plan | None:
    """One plan for the columns of both versions; None unless both select the same people."""
    if not selection.alike(before, after):
        return None
    draft = (replace(output, name=f"{output.name}/draft") for output in after.outputs)
    return replace(before, outputs=(*before.outputs, *draft))


class PreviewDesk(Protocol):
    """Both versions of the documents, what is stored, and the rights of who asks."""

    def require_bounded(self) -> None:
        """Refuse who may not ask, what does not load, and cohorts that nobody has approved."""

    @property
    def received(self) -> Collection[str]:
        """The columns that some recipient has received."""

    def decided(self) -> Sequence[Decided]:
        """The answer to each purpose of kind records, now and with the draft."""

    def note(self, decided: Decided) -> None:
        """Count and record the question, before a row is read."""

    def stored(self, plan: Plan) -> bool:
        """Whether an extract of each dataset that the plan reads is in use."""

    def imagine(self, plan: Plan, *, draft: bool) -> ReleaseRun:
        """Open what is stored for one of the two versions: no grant, no key, nothing written."""

    def keep(self, seen: Sequence[Seen], purposes: Sequence[PurposeImpact]) -> Preview:
        """Seal the exact pictures, record that, and answer with what may be told."""
