"""Cases by form: what a lead expects of a decision, written as a request with its answer.

A lead says what must be so ("without the impact assessment it is refused"); the case
that says it is made from the draft, and decided at once. One that does not come out
as expected is not saved: the lead reads what would happen instead.

Source: docs/reference/policy.md, "Cases"; GOV.UK Design System, "Error summary".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.model import Plan, SharingRequest
from gateway.policy.agreements import Agreement, Purpose
from gateway.policy.casebook import Case
from gateway.policy.cases import run_case, sent_to
from gateway.policy.decision import expected
from gateway.web.draft_forms import Choice, field_choices
from gateway.web.form_values import Fault, fault
from gateway.web.workshop import DraftView

EXPECTATIONS: Mapping[str, str] = {
    "permit": "It may leave, and each recipient gets exactly the columns that this draft says",
    "dpia": "Without the impact assessment it is refused",
    "ended": "After the agreement’s last day it is refused",
    "basis": "Without a legal basis (named below) it is refused",
    "column": "With one more column (named below) it is refused",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseOffer:
    """What the form of a case offers for one purpose: its legal bases and further columns."""

    purposes: Mapping[str, str]
    bases: Mapping[str, str]
    columns: Mapping[str, str]


def offer(view: DraftView, purpose: str) -> CaseOffer:
    """The choices of the form, once a purpose is chosen."""
    agreement = view.agreement
    purposes = agreement.purposes if agreement else {}
    found = purposes.get(purpose)
    known = view.bundle.legal_bases
    return CaseOffer(
        purposes={key: each.title for key, each in purposes.items()},
        bases={
            each: known[each].provision
            for each in (found.legal_bases if found else ())
            if each in known
        },
        columns={each.value: f"{each.column}: {each.meaning}" for each in _columns(view, purpose)},
    )


def case_of(
    form: Mapping[str, str], view: DraftView, today: dt.date
) -> tuple[Case | None, list[Fault]]:
    """The case that the form asks for, decided on the draft: or every reason why there is none.

    Args:
        form: as a browser sends it.
        view: the draft as it is; one that does not load has no cases.
        today: the day of the case, where the agreement holds on it.
    """
    agreement, key = view.agreement, form.get("purpose", "")
    purpose = agreement.purposes.get(key) if agreement else None
    if agreement is None or purpose is None:
        return None, [fault("Choose a purpose of the draft", "purpose")]
    request = _Request(view=view, agreement=agreement, key=key, purpose=purpose, today=today)
    expects = form.get("expects", "")
    if expects not in EXPECTATIONS:
        return None, [fault("Choose what you expect", "expects")]
    if expects == "permit":
        return request.permitted()
    made = request.refused(form)
    if isinstance(made, list):
        return None, made
    result = run_case(view.bundle, "", made)
    if result.outcome == "permit":
        return None, [fault("It would not be refused: the draft lets it leave even so", "expects")]
    return made.model_copy(update={"reasons": result.reasons}), []


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """What a case of one purpose of a draft is made of."""

    view: DraftView
    agreement: Agreement
    key: str
    purpose: Purpose
    today: dt.date

    @property
    def on(self) -> dt.date:
        """A day on which the agreement holds: the case asks for the rules, not for the date."""
        held = (self.agreement.ends, self.agreement.review)
        return min(max(self.agreement.starts, self.today), *held)

    def permitted(self) -> tuple[Case | None, list[Fault]]:
        asked = SharingRequest(purpose=self.key, agreement=self.agreement.id)
        decision = expected(asked, self.view.bundle, on=self.on)
        if not isinstance(decision, Plan):
            told = (f"It is refused: {each.reason}" for each in decision.reasons)
            return None, [fault(each, "expects") for each in told]
        sent = {each.recipient.id: each for each in decision.outputs}
        sends = {to: sent_to(decision, to) for to in sent}
        return self._case("may leave", sends={to: what for to, what in sends.items() if what}), []

    def refused(self, form: Mapping[str, str]) -> Case | list[Fault]:
        expects = form["expects"]
        if expects == "dpia":
            if self.agreement.dpia is None:
                return [fault("The draft names no impact assessment that could miss", "expects")]
            return self._case("without an impact assessment", remove=("dpia",))
        if expects == "ended":
            if self.agreement.ends == dt.date.max:
                return [fault("No day comes after its last day", "expects")]
            return self._case("after the last day", on=self.agreement.ends + dt.timedelta(days=1))
        if expects == "basis":
            return self._without_basis(form.get("basis", ""))
        return self._with_column(form.get("column", ""))

    def _without_basis(self, basis: str) -> Case | list[Fault]:
        if basis not in self.purpose.legal_bases:
            return [fault("Choose the legal basis that would be missing", "basis")]
        left = tuple(each for each in self.purpose.legal_bases if each != basis)
        if not left:
            return [fault("Without any legal basis a purpose does not even load", "basis")]
        return self._case(f"without {basis}", change={"legal_bases": left})

    def _with_column(self, column: str) -> Case | list[Fault]:
        offered = _columns(self.view, self.key)
        chosen = next((each for each in offered if each.value == column), None)
        if chosen is None:
            return [fault("Choose the column that would be sent too", "column")]
        output = _output(self.purpose)
        clause = self.purpose.outputs[output].clause
        rule = {"source": chosen.dataset, "treat": "keep", "clause": clause}
        fields = {"outputs": {output: {"fields": {chosen.column: rule}}}}
        return self._case(f"with {chosen.column}", change=fields)

    def _case(self, told: str, *, change: Mapping[str, Any] | None = None, **more: Any) -> Case:
        laid = {"change": {"purposes": {self.key: change}}} if change else {}
        return Case.model_validate(
            {
                "name": f"{self.agreement.id}: {self.key}: {told}",
                "agreement": self.agreement.id,
                "purpose": self.key,
                "on": self.on,
                "expect": "permit" if "sends" in more else "refuse",
                **laid,
                **more,
            }
        )


def _columns(view: DraftView, purpose: str) -> list[Choice]:
    found = view.agreement.purposes.get(purpose) if view.agreement else None
    output = _output(found) if found else ""
    return [each for each in field_choices(view, purpose, output) if not each.sent]


def _output(purpose: Purpose) -> str:
    """The output that has fields, to which one more could be added."""
    return next((name for name, each in purpose.outputs.items() if each.fields), "")
