"""Where two agreements or purposes make one another's promise untrue.

What is coarse in one file and fine in another is fine for whoever gets both; and people
who were told one thing of a purpose cannot be told another in the next agreement.

Source: UK GDPR Art 5(1)(a), (c), Arts 13 and 14; ICO data sharing code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

from gateway.policy.agreements import Agreement, Notice, Output, Purpose
from gateway.policy.bundle import Bundle
from gateway.policy.findings import name
from gateway.policy.remarks import Remark, Weight
from gateway.policy.resolving import Resolved, resolve_output
from gateway.policy.treatments import is_coarser, said

# What people are told of a purpose: one of it may not be told in two ways.
PROMISED = (
    "participation",
    "household",
    "retain_until",
    "returns",
    *(f"notice.{part}" for part in Notice.model_fields if part not in {"version", "published"}),
)
_FORMS = frozenset({"link-id", "pseudonym", "none"})


@dataclass(frozen=True, slots=True)
class _Place:
    agreement: Agreement
    purpose_id: str
    purpose: Purpose

    @property
    def said(self) -> str:
        return f"{name(self.purpose_id)} of {name(self.agreement.id)}"


_ON_PURPOSE = attrgetter(*(part for part in PROMISED if "." not in part))
Coarse = Mapping[tuple[str, str], Sequence[tuple[_Place, Output, Resolved]]]


def untrue_promises(bundle: Bundle, agreement: str = "") -> Iterator[Remark]:
    """What another purpose of the same controllers makes untrue here.

    Args:
        bundle: the documents that load.
        agreement: remarks on this one only; empty for all.
    """
    for key in sorted(bundle.agreements):
        if agreement in ("", key):
            yield from _of_agreement(bundle, bundle.agreements[key])


def _of_agreement(bundle: Bundle, found: Agreement) -> Iterator[Remark]:
    kin = [
        other
        for key, other in sorted(bundle.agreements.items())
        if not set(other.controllers).isdisjoint(found.controllers)
    ]
    coarse = _coarsened(bundle, found)
    # One remark for a column: the first of those that undo it is enough to be told of.
    finer: dict[tuple[str, str, str], Remark] = {}
    for other in kin:
        for place in _places(other):
            mine = found.purposes.get(place.purpose_id)
            if other is not found and mine is not None:
                yield from _told_otherwise(_Place(found, place.purpose_id, mine), place)
            for about, remark in _finer(bundle, coarse, place):
                finer.setdefault(about, remark)
    yield from finer.values()


def _places(agreement: Agreement) -> Iterator[_Place]:
    for purpose in sorted(agreement.purposes):
        yield _Place(agreement, purpose, agreement.purposes[purpose])


def _told_otherwise(here: _Place, other: _Place) -> Iterator[Remark]:
    """One purpose in two agreements: what people were told of it has to be the same."""
    if _as_written(here.purpose) == _as_written(other.purpose):
        return
    parts = [part for part in PROMISED if _of(here.purpose, part) != _of(other.purpose, part)]
    if parts:
        yield _remark(
            here,
            "lint/promises-differ",
            here.purpose.clause,
            f"{other.said} is the same purpose, and says something else of: {', '.join(parts)}.",
            "Write in both what people were told, or call one of the two something else.",
        )


def _as_written(purpose: Purpose) -> object:
    """A quick comparison: what is written alike is promised alike."""
    return (_ON_PURPOSE(purpose), vars(purpose.notice) if purpose.notice else None)


def _of(purpose: Purpose, part: str) -> object:
    holder, _, key = part.rpartition(".")
    value = getattr(getattr(purpose, holder) if holder else purpose, key, None)
    return frozenset(value) if isinstance(value, tuple) else value


def _finer(
    bundle: Bundle, coarse: Coarse, other: _Place
) -> Iterator[tuple[tuple[str, str, str], Remark]]:
    for output in _outputs(other):
        for word, rule in output.fields.items():
            meant = rule.from_ or word
            for here, own, coarser in coarse.get((_receiver(bundle, output), meant), ()):
                if (
                    here.purpose is not other.purpose
                    and _is_finer(rule.treat, coarser.rule.treat)
                    and _reads(other.purpose, coarser.contract.id)
                ):
                    remark = _remark(
                        here,
                        "lint/finer-elsewhere",
                        coarser.rule.clause,
                        f"{name(coarser.name)} leaves {said(coarser.rule.treat)}, and "
                        f"{name(own.recipient)} gets it {said(rule.treat)} in {other.said}, "
                        f"clause {rule.clause}.",
                        "Coarsen it there too, or name recipients apart.",
                        Weight.ADVICE,
                    )
                    yield (here.purpose_id, own.recipient, coarser.name), remark


def _reads(purpose: Purpose, dataset: str) -> bool:
    return dataset in {purpose.spine, *(join.source for join in purpose.joins or ())}


def _coarsened(bundle: Bundle, agreement: Agreement) -> Coarse:
    """What leaves about people without their names and not as it is, by receiver and name."""
    found: dict[tuple[str, str], list[tuple[_Place, Output, Resolved]]] = {}
    for place in _places(agreement):
        for output in _outputs(place):
            receiver = _receiver(bundle, output)
            for rule in resolve_output(place.purpose, output, bundle.knowledge)[0]:
                if rule.rule.treat not in {"keep", "pseudonym"}:
                    for word in rule.words:
                        found.setdefault((receiver, word), []).append((place, output, rule))
    return found


def _outputs(place: _Place) -> Iterator[Output]:
    for key in sorted(place.purpose.outputs):
        output = place.purpose.outputs[key]
        if place.purpose.kind == "records" and output.identifiers in _FORMS:
            yield output


def _receiver(bundle: Bundle, output: Output) -> str:
    known = bundle.recipients.get(output.recipient)
    return known.organisation if known else output.recipient


def _is_finer(treat: str, than: str) -> bool:
    return treat != than and (treat == "keep" or is_coarser(than, treat))


def _remark(
    place: _Place,
    code: str,
    clause: str,
    sentence: str,
    remedy: str,
    weight: Weight = Weight.WARNING,
) -> Remark:
    return Remark(
        weight=weight,
        code=code,
        agreement=place.agreement.id,
        purpose=place.purpose_id,
        clause=clause,
        sentence=sentence,
        remedy=remedy,
    )
