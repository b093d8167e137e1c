"""What a release says of each output: its core manifest, duties and disclosure limits.

The recipient is told the limits and that they were met; how near the release came
to them, and who was withheld for what, stays in the controller's own record.

Source: UK GDPR Arts 5(2), 28, 84C; DPA 2018 s171; docs/reference/package.md.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.adapters.spill import ByteSpill
from gateway.model import IdentifierForm, OutputPlan, Plan
from gateway.model.stages import AssessedOutput
from gateway.model.tokens import SCHEME, STANDARD, WEAK_TOKENS
from gateway.sealing import Manifest, core_manifest, withheld_band
from gateway.sealing.packing import manifest_columns

OFFENCE = (
    "Knowingly or recklessly re-identifying de-identified personal data without the "
    "controller's consent is an offence (Data Protection Act 2018 s171)."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What all manifests of one release share."""

    plan: Plan
    release: str
    sender: str
    created: dt.datetime
    register_read_at: dt.datetime
    withheld: int
    record_digest: str
    record: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Serialised:
    """One output, serialised into the sealed scratch room, with its core manifest."""

    output: OutputPlan
    package: str
    data: ByteSpill = field(repr=False)
    rows: int
    manifest: Manifest
    about: About

    @property
    def core(self) -> dict[str, Any]:
        """What the ledger's leaf commits to."""
        return core_manifest(self.manifest)


def manifest_of(
    about: About, entry: AssessedOutput, data: ByteSpill, *, rows: int, types: dict[str, str]
) -> Manifest:
    """Describe one serialised output."""
    plan, output = about.plan, entry.output
    return Manifest(
        package=package_id(about.release, output),
        sender=about.sender,
        release=about.release,
        output=output.name,
        purpose=plan.request.purpose,
        agreement=plan.request.agreement,
        clause=output.clause,
        policy_digest=plan.policy_digest,
        recipient=output.recipient.id,
        recipient_key=output.recipient.key_id,
        created=about.created,
        columns=manifest_columns(entry, types),
        rows=rows,
        withheld=withheld_band(about.withheld),
        register_read_at=about.register_read_at,
        data_file=f"data.{output.file_format}",
        data_digest=data.sha256,
        duties=duties_of(plan),
        duty_sentences=_duty_sentences(plan),
        release_record=about.record_digest,
        disclosure=_disclosure(output),
        key=_key(plan, output),
    )


def kept_manifest(manifest: Mapping[str, Any], data_digest: str) -> dict[str, Any]:
    """What stays of a manifest with its package: the core that the ledger commits to."""
    core = {name: value for name, value in manifest.items() if name != "ledger"}
    return {"data_digest": data_digest, "columns": manifest["columns"], "core": core}


def package_id(release: str, output: OutputPlan) -> str:
    """The id of one output's package: the release's, and the output's name."""
    return f"{release}.{output.name}"


def duties_of(plan: Plan) -> tuple[str, ...]:
    """What the recipient must do and must not: the agreement's duties and the law's."""
    return (*plan.duties, _destroy_by(plan), OFFENCE)


def _destroy_by(plan: Plan) -> str:
    return f"destroy-by {plan.retain_until.isoformat()}"


def _duty_sentences(plan: Plan) -> dict[str, str]:
    """What each code among the duties means, for people."""
    said = {code: sentence for code, sentence in plan.duty_sentences if sentence}
    by = f"Destroy every copy by {plan.retain_until.isoformat()}."
    return {**said, _destroy_by(plan): by}


def _disclosure(output: OutputPlan) -> dict[str, Any]:
    limits = output.limits
    if limits is None:
        return {}
    return {
        "key_variables": list(limits.key_variables),
        "k": limits.k,
        "l": dict(limits.l_values),
        "met": True,
    }


def _key(plan: Plan, output: OutputPlan) -> dict[str, str] | None:
    """Which key made the tokens, by name; never a key."""
    form = {"scheme": SCHEME, "std": STANDARD}
    if output.identifiers is IdentifierForm.TOKENS and output.key is not None:
        weak = " ".join(name for name in output.tokens if name in WEAK_TOKENS)
        return (
            {"kind": "study", "study": output.key.study, "epoch": output.key.epoch}
            | form
            | {"weak": weak}
        )
    if output.identifiers is IdentifierForm.PSEUDONYM:
        epoch = output.key.epoch if output.key else PSEUDONYM_EPOCH
        return {"kind": "pseudonym", "controller": plan.controller, "epoch": epoch} | form
    return None


PSEUDONYM_EPOCH = "1"
