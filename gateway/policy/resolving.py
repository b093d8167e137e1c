"""From a field rule to the column it means: one way, written down, never a guess.

A rule's `from` (by default its own name) is looked up in its `source`; without a
`source` in the spine, and only if the spine does not have it in the joins, of
which exactly one must have it. In a dataset a column's name is tried first, then
the vocabulary field that exactly one column carries. On a wide join each wave
gives one column, NAME_WAVE.

Source: docs/reference/policy.md, "How a field rule finds its column".
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from gateway.model import ColumnRule, Contract, ContractColumn, Role
from gateway.policy.agreements import FieldRule, Output, Purpose
from gateway.policy.findings import MOST, name, suggest
from gateway.policy.knowledge import Knowledge
from gateway.policy.treatments import AGE_TREATMENTS, class_after, expand_names, fits, is_treatment
from gateway.policy.vocabulary import FieldEntry

WIDE = "wide-by:"
_ADDRESS_ROLES = frozenset({Role.POSTCODE, Role.HOUSE_NUMBER, Role.STREET, Role.TOWN, Role.UPRN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why a rule, join or cohort does not resolve: code, place, sentence, remedy."""

    code: str
    path: tuple[str, ...]
    sentence: str
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """One rule of an output with the column and the vocabulary entry that it means."""

    rule: FieldRule
    name: str
    contract: Contract
    column: ContractColumn
    entry: FieldEntry
    waves: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns that leave."""
        return tuple(f"{self.name}_{wave}" for wave in self.waves) or (self.name,)

    @property
    def words(self) -> frozenset[str]:
        """Every name under which a prohibition may meet this rule."""
        return frozenset({self.name, self.rule.from_ or self.name, self.column.name, self.field})

    @property
    def field(self) -> str:
        """The vocabulary field."""
        return self.column.field

    @property
    def harm(self) -> str:
        """What a value tells of, or that there is one: standing in the dataset may tell it too."""
        return self.entry.harm or self.contract.harm

    def columns(self) -> tuple[ColumnRule, ...]:
        """The columns that leave, as the Plan writes them."""
        return tuple(self._column(wave) for wave in self.waves or ("",))

    def _column(self, wave: str) -> ColumnRule:
        return ColumnRule(
            name=f"{self.name}_{wave}" if wave else self.name,
            field=self.field,
            dataset=self.contract.id,
            column=self.column.name,
            treat=self.rule.treat,
            clause=self.rule.clause,
            field_class=class_after(self.rule.treat, self.entry.field_class),
            wave=wave,
            at=self.rule.at,
            level=self.entry.level,
            combine=self.entry.combine,
            is_date=self.column.type == "date",
            harm=self.harm,
            codes=self.column.codes,
            address=self.entry.identifier == "address" or self.column.role in _ADDRESS_ROLES,
        )


def find_column(contract: Contract, wanted: str) -> ContractColumn | None:
    """The column of that name, else the only column that carries that field."""
    for column in contract.columns:
        if column.name == wanted:
            return column
    carrying = [column for column in contract.columns if column.field == wanted]
    return carrying[0] if len(carrying) == 1 else None


def resolve_output(
    purpose: Purpose, output: Output, knowledge: Knowledge
) -> tuple[tuple[Resolved, ...], tuple[Fault, ...]]:
    """Every rule of an output, by name, and what does not resolve."""
    found: list[Resolved] = []
    faults: list[Fault] = []
    seen: set[str] = set()
    for written in sorted(output.fields):
        for each in expand_names(written):
            rule = output.fields[written]
            outcome = _resolve(purpose, each, rule, knowledge)
            if isinstance(outcome, Fault):
                faults.append(outcome)
                if len(faults) > MOST:  # no more are listed, nor looked for
                    return (), tuple(faults)
                continue
            twice = seen & set(outcome.names)
            seen |= set(outcome.names)
            faults += [_twice(each)] if twice else []
            found.append(outcome)
    return tuple(sorted(found, key=lambda each: each.name)), tuple(faults)


def _twice(each: str) -> Fault:
    return Fault(
        code="policy/duplicate-field",
        path=("fields", each),
        sentence="this output has a column of that name already.",
        remedy="Give each column its own name.",
    )


def _resolve(
    purpose: Purpose, each: str, rule: FieldRule, knowledge: Knowledge
) -> Resolved | Fault:
    wanted = rule.from_ or each
    path = ("fields", each)
    datasets = [purpose.spine, *(join.source for join in purpose.joins or ())]
    if rule.source is not None and rule.source not in datasets:
        return Fault(
            code="policy/unknown-dataset",
            path=path,
            sentence=f"{name(rule.source)} is neither the spine nor a join of this purpose.",
            remedy=suggest(rule.source, datasets) or "Add a join, or name another source.",
        )
    at = _locate(purpose, rule, wanted, knowledge)
    if at is None:
        return _unfound(path, wanted, rule.source or purpose.spine, datasets, knowledge)
    contract, column = at
    entry = knowledge.vocabulary.fields[column.field]
    waves = _waves(purpose, rule, contract)
    if isinstance(waves, Fault):
        return Fault(code=waves.code, path=path, sentence=waves.sentence, remedy=waves.remedy)
    resolved = Resolved(
        rule=rule, name=each, contract=contract, column=column, entry=entry, waves=waves
    )
    return (
        _treatment_fault(path, resolved)
        or _reference_fault(path, purpose, rule, knowledge)
        or (resolved)
    )


def _locate(
    purpose: Purpose, rule: FieldRule, wanted: str, knowledge: Knowledge
) -> tuple[Contract, ContractColumn] | None:
    first = rule.source or purpose.spine
    found = _in(first, wanted, knowledge)
    if found is not None or rule.source is not None:
        return found
    joined = [_in(join.source, wanted, knowledge) for join in purpose.joins or ()]
    having = [each for each in joined if each is not None]
    return having[0] if len(having) == 1 else None


def _in(dataset: str, wanted: str, knowledge: Knowledge) -> tuple[Contract, ContractColumn] | None:
    contract = knowledge.contracts.get(dataset)
    column = find_column(contract, wanted) if contract else None
    if contract is None or column is None or column.field not in knowledge.vocabulary.fields:
        return None
    return contract, column


def _unfound(
    path: tuple[str, ...], wanted: str, source: str, datasets: list[str], knowledge: Knowledge
) -> Fault:
    contracts = [knowledge.contracts[d] for d in datasets if d in knowledge.contracts]
    columns = {c.name for contract in contracts for c in contract.columns}
    if wanted not in knowledge.vocabulary.fields and wanted not in columns:
        return Fault(
            code="policy/unknown-field",
            path=path,
            sentence=f"field {name(wanted)} is not in the vocabulary.",
            remedy=suggest(wanted, {*knowledge.vocabulary.fields, *columns})
            or "Add it to vocabulary.toml and to a contract first.",
        )
    return Fault(
        code="policy/field-not-in-dataset",
        path=path,
        sentence=f"{name(source)} has no one column for field {name(wanted)}.",
        remedy="Name `source` and, with `from`, the column.",
    )


def _waves(purpose: Purpose, rule: FieldRule, contract: Contract) -> tuple[str, ...] | Fault:
    joins = [j for j in purpose.joins or () if j.source == contract.id]
    if contract.id == purpose.spine or not joins or not joins[0].take.startswith(WIDE):
        if rule.waves is None:
            return ()
        return Fault(
            code="policy/unexpected-waves",
            path=(),
            sentence="`waves` belongs to a field of a wide join.",
            remedy="Remove it, or take the join wide-by a column.",
        )
    column = find_column(contract, joins[0].take.removeprefix(WIDE))
    known = column.codes if column else ()
    unknown = [wave for wave in rule.waves or () if wave not in known]
    if unknown or not known:
        return Fault(
            code="policy/unknown-wave",
            path=(),
            sentence=f"{name(unknown[0])} is not one of its codes."
            if unknown
            else "the widening column has no code list.",
            remedy=f"Known are: {', '.join(known)}." if known else "Give the column a code list.",
        )
    return tuple(wave for wave in known if rule.waves is None or wave in rule.waves)


def _treatment_fault(path: tuple[str, ...], resolved: Resolved) -> Fault | None:
    treat = resolved.rule.treat
    if not is_treatment(treat):
        return Fault(
            code="policy/unknown-treatment",
            path=path,
            sentence="this is not a treatment of the closed set.",
            remedy='See docs/reference/policy.md, "Treatments".',
        )
    if not fits(treat, resolved.column.type, resolved.entry):
        return Fault(
            code="policy/treatment-does-not-fit",
            path=path,
            sentence=f"{name(resolved.column.name)} ({resolved.column.type}) cannot be treated so.",
            remedy="Choose a treatment of its type.",
        )
    return None


def _reference_fault(
    path: tuple[str, ...], purpose: Purpose, rule: FieldRule, knowledge: Knowledge
) -> Fault | None:
    if rule.at is None:
        return _age_without_date(path) if rule.treat in AGE_TREATMENTS else None
    if isinstance(rule.at, dt.date):
        if rule.treat in AGE_TREATMENTS:
            return None
        return Fault(
            code="policy/unexpected-at",
            path=path,
            sentence="`at` belongs to an age.",
            remedy="Remove it.",
        )
    spine = knowledge.contracts.get(purpose.spine)
    column = next((c for c in spine.columns if c.name == rule.at), None) if spine else None
    if column is not None and column.type == "date":
        return None
    return Fault(
        code="policy/unknown-column",
        path=path,
        sentence=f"{name(rule.at)} is no date column of the spine; the day of release is refused.",
        remedy="Write the study's fixed date, or name a date column.",
    )


def _age_without_date(path: tuple[str, ...]) -> Fault:
    return Fault(
        code="policy/age-without-date",
        path=path,
        sentence="an age needs its reference date.",
        remedy="Give `at` the study's fixed date, or a date column of the spine.",
    )
