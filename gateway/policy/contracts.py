"""The contract of one partner extract: TOML to `gateway.model.Contract`.

The contract is the source of truth for what a partner may send. Its columns
take meaning and class from the vocabulary, so that a contract cannot call a
diagnosis plain.

Source: UK GDPR Art 5(1)(d); docs/reference/contracts.md.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import Field

from gateway.model import Contract, ContractColumn, Role, RowRule
from gateway.policy.findings import Finding, PolicyInvalid, name, suggest
from gateway.policy.reading import read
from gateway.policy.shapes import Days, Document, Id, Sentence, Share, Some, Word, shape
from gateway.policy.vocabulary import Codes, Harm, Vocabulary

RoleWord = Literal[
    "nhs_number",
    "upn",
    "nino",
    "forename",
    "middle_names",
    "surname",
    "former_surname",
    "date_of_birth",
    "sex",
    "postcode",
    "house_number",
    "street",
    "town",
    "uprn",
    "person_id",
    "family_id",
]
# Cross-column forms, closed; docs/reference/policy.md says each in a sentence.
RuleForm = Literal[
    "not-before", "at-most", "sum-at-most", "required-if", "absent-if", "one-of-present"
]
# How many columns a form takes: at least, at most.
ARITY: dict[str, tuple[int, int]] = {
    "not-before": (2, 2),
    "at-most": (2, 2),
    "sum-at-most": (2, 20),
    "required-if": (2, 2),
    "absent-if": (2, 2),
    "one-of-present": (2, 20),
}
DAYS_IN = {"d": 1, "w": 7, "m": 30, "y": 365}
WITH_VALUE = frozenset({"required-if", "absent-if"})
REPEATABLE = frozenset({Role.FORMER_SURNAME})
Bound = Annotated[int | float, Field(ge=-1e15, le=1e15)]
# Date forms, closed: no pattern of a partner's own.
DateForm = Literal[
    "%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%Y%m%d", "%d%m%Y", "%d %b %Y", "%d-%b-%Y"
]


class ColumnDocument(Document):
    """One agreed column, as a contract writes it."""

    field: Word | None = None
    type: Literal["text", "integer", "decimal", "date", "boolean", "codes"] = "text"
    role: RoleWord | None = None
    required: bool = False
    unique: bool = False
    codes: Codes | None = None
    min: Bound | None = None
    max: Bound | None = None
    earliest: dt.date | None = None
    latest: dt.date | None = None
    max_length: int = Field(default=200, ge=1, le=10_000)
    decimals: int = Field(default=0, ge=0, le=6)
    form: Literal["", "school-urn", "academic-year"] = ""
    aliases: Some[Sentence] = ()
    date_forms: Some[DateForm] = ("%Y-%m-%d",)
    tolerated: Share = 0.0
    note: Sentence | None = None


class RuleDocument(Document):
    """One cross-column rule, as a contract writes it."""

    name: Id
    form: RuleForm
    columns: Some[Word]
    value: str = ""
    tolerated: Share = 0.0


class ContractDocument(Document):
    """`policies/datasets/*.toml`."""

    id: Id
    title: Sentence
    version: int = Field(ge=1, le=1_000_000)
    parties: Some[Id]
    population: Literal["synthetic", "residents"]
    columns: dict[Word, ColumnDocument] = Field(min_length=1)
    frequency: Sentence | None = None
    encodings: Some[Literal["utf-8", "latin-1", "windows-1252", "utf-16"]] = ("utf-8",)
    delimiter: Literal[",", ";", "\t", "|"] = ","
    retention: Days = "365d"
    quarantine_above: Share = 0.05
    reject_above: Share = 0.25
    sex: Literal["", "not-collected"] = ""
    postcode_form: Literal["", "digits"] = ""
    placeholder_dates: Some[dt.date] = ()
    protected_column: Word | Literal[""] = ""
    harm: Harm | Literal[""] = ""
    unique_together: Some[Some[Word]] = ()
    rules: Some[RuleDocument] = ()


def load_contract(
    text: str | bytes, vocabulary: Vocabulary, *, document: str = "contract"
) -> Contract:
    """The contract, or every reason why it does not load.

    Raises:
        PolicyInvalid: names document, column and remedy of each finding.
    """
    tree, findings = read(document, text)
    if not findings:
        contract, findings = build_contract(document, tree, vocabulary)
        if contract is not None:
            return contract
    raise PolicyInvalid(findings)


def build_contract(
    document: str, tree: dict[str, Any], vocabulary: Vocabulary
) -> tuple[Contract | None, list[Finding]]:
    """The contract of a tree, or its findings."""
    written, findings = shape(ContractDocument, document, tree)
    if written is None:
        return None, findings
    findings = [*_column_faults(document, written, vocabulary), *_rule_faults(document, written)]
    return (None, findings) if findings else (_contract(written, vocabulary), [])


def _contract(written: ContractDocument, vocabulary: Vocabulary) -> Contract:
    return Contract(
        id=written.id,
        title=written.title,
        version=written.version,
        parties=written.parties,
        columns=tuple(_column(key, each, vocabulary) for key, each in written.columns.items()),
        rules=tuple(
            RowRule(
                name=rule.name,
                form=rule.form,
                columns=rule.columns,
                value=rule.value,
                tolerated=rule.tolerated,
            )
            for rule in written.rules
        ),
        unique_together=written.unique_together,
        encodings=written.encodings,
        delimiter=written.delimiter,
        population=written.population,
        sex=written.sex,
        postcode_form=written.postcode_form,
        placeholder_dates=written.placeholder_dates,
        quarantine_above=written.quarantine_above,
        reject_above=written.reject_above,
        retention_days=int(written.retention[:-1]) * DAYS_IN[written.retention[-1]],
        protected_column=written.protected_column,
        harm=written.harm,
    )


def _column(key: str, written: ColumnDocument, vocabulary: Vocabulary) -> ContractColumn:
    entry = vocabulary.fields[written.field or key]
    codes = written.codes or (entry.codes if written.type in {"text", "codes"} else None) or {}
    return ContractColumn(
        name=key,
        field=written.field or key,
        type=written.type,
        role=Role(written.role) if written.role else None,
        required=written.required,
        unique=written.unique,
        codes=tuple(codes),
        minimum=None if written.min is None else float(written.min),
        maximum=None if written.max is None else float(written.max),
        earliest=written.earliest,
        latest=written.latest,
        max_length=written.max_length,
        decimals=written.decimals,
        form=written.form,
        aliases=written.aliases,
        date_forms=written.date_forms,
        tolerated=written.tolerated,
        field_class=entry.field_class,
    )


def _column_faults(
    document: str, written: ContractDocument, vocabulary: Vocabulary
) -> list[Finding]:
    found: list[Finding] = []
    roles: set[str] = set()
    for key, column in written.columns.items():
        where = f"column {name(key)}"
        field = column.field or key
        if field not in vocabulary.fields:
            found.append(unknown_field(document, where, field, vocabulary))
        elif column.type == "codes" and not (column.codes or vocabulary.fields[field].codes):
            found.append(_fault(document, where, "a column of type codes has no code list."))
        if column.role in roles and Role(column.role) not in REPEATABLE:
            found.append(_fault(document, where, f"the role {name(column.role)} stands twice."))
        roles.add(column.role or "")
    return found + _alias_faults(document, written)


def _alias_faults(document: str, written: ContractDocument) -> list[Finding]:
    seen = {key.casefold(): key for key in written.columns}
    found = []
    for key, column in written.columns.items():
        for alias in column.aliases:
            if seen.setdefault(alias.casefold(), key) != key:
                where = f"column {name(key)}"
                found.append(_fault(document, where, "an alias names another column too."))
    return found


def _rule_faults(document: str, written: ContractDocument) -> list[Finding]:
    found: list[Finding] = []
    named = [(f"rule {name(rule.name)}", rule.columns) for rule in written.rules]
    named += [("unique_together", columns) for columns in written.unique_together]
    if written.protected_column:
        named.append(("protected_column", (written.protected_column,)))
    for where, columns in named:
        found += [
            Finding(
                code="policy/unknown-column",
                document=document,
                where=where,
                sentence=f"the contract has no column {name(column)}.",
                remedy=suggest(column, written.columns) or "Name a column of this contract.",
            )
            for column in columns
            if column not in written.columns
        ]
    for rule in written.rules:
        least, most = ARITY[rule.form]
        if not least <= len(rule.columns) <= most or (rule.form in WITH_VALUE) != bool(rule.value):
            where = f"rule {name(rule.name)}"
            found.append(_fault(document, where, "the form takes other columns or another value."))
    return found


def unknown_field(document: str, where: str, field: str, vocabulary: Vocabulary) -> Finding:
    """The finding for a field that the vocabulary does not have."""
    return Finding(
        code="policy/unknown-field",
        document=document,
        where=where,
        sentence=f"field {name(field)} is not in the vocabulary.",
        remedy=suggest(field, vocabulary.fields) or "Add it to vocabulary.toml first.",
    )


def _fault(document: str, where: str, sentence: str) -> Finding:
    return Finding(
        code="policy/contract-malformed",
        document=document,
        where=where,
        sentence=sentence,
        remedy='See docs/reference/policy.md, "Contracts".',
    )
