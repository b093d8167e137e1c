"""When rows are safe enough to leave: key variables, k, l, and what no clause can take out.

Written limits are the least: a column of class key-variable or a date counts, harm
raises k, and no flag of a special category or offence may be shared by a whole group.

Source: docs/reference/policy.md, "Disclosure limits"; UK GDPR Art 5(1)(c), Art 25.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gateway.model import ColumnRule, FieldClass, Limits, OnSmallGroup, Reason
from gateway.policy.agreements import Disclosure
from gateway.policy.findings import name
from gateway.policy.matter import Delivery, Matter
from gateway.policy.resolving import Resolved
from gateway.policy.treatments import expand_names

HARM_K = 10
LEAST_L = 2
# A longer code list is a key variable by the number of its values, once they are counted.
FEW_CODES = 20
SENSITIVE = frozenset({FieldClass.SPECIAL_CATEGORY, FieldClass.CRIMINAL})
SECURE = "secure-setting"


def limits_of(matter: Matter, delivery: Delivery) -> Limits | None:
    """The limits of an output; None where it has none."""
    disclosure = delivery.output.disclosure
    if disclosure is None:
        return None
    columns = tuple(column for rule in delivery.rules for column in rule.columns())
    left = _left(disclosure, columns)
    keys = _key_variables(disclosure, columns)
    harmful = bool(matter.listed_harm) or any(column.harm for column in columns)
    flags = _flags(delivery.rules) - keys if _leaves_rows(matter, delivery) else ()
    written = ((n, least) for w, least in disclosure.l.items() for n in _names(w, columns))
    return Limits(
        key_variables=tuple(sorted(keys)),
        k=max(disclosure.k, HARM_K) if harmful else disclosure.k,
        l_values=tuple(sorted({**dict.fromkeys(flags, LEAST_L), **dict(written)}.items())),
        on_small_group=OnSmallGroup(disclosure.on_small_group),
        coarsen=tuple(
            (each, step.treat)
            for step in disclosure.coarsen or ()
            for each in _names(step.field, columns)
        ),
        not_key=tuple(sorted(left.items())),
    )


def too_loose(matter: Matter) -> Iterator[Reason]:
    """A clause may take out one key variable; it may not end the counting."""
    for delivery in matter.deliveries:
        limits = limits_of(matter, delivery)
        if limits is None or not _leaves_rows(matter, delivery) or SECURE in delivery.classes:
            continue
        if limits.not_key and not limits.key_variables:
            yield Reason(
                code="policy/no-key-variable",
                clause=delivery.output.clause,
                reason=f"`not_key` takes every key variable out of {name(delivery.name)}: then no "
                f'group is counted. Leave one in, or send it to a recipient of class "{SECURE}".',
            )


def _leaves_rows(matter: Matter, delivery: Delivery) -> bool:
    return matter.purpose.kind == "records" and not delivery.carries_identifiers


def _left(disclosure: Disclosure, columns: tuple[ColumnRule, ...]) -> dict[str, str]:
    return {n: clause for w, clause in disclosure.not_key.items() for n in _names(w, columns)}


def _key_variables(disclosure: Disclosure, columns: tuple[ColumnRule, ...]) -> set[str]:
    declared = {n for word in disclosure.key_variables or () for n in _names(word, columns)}
    implied = {
        column.name
        for column in columns
        if (column.field_class is FieldClass.KEY_VARIABLE or column.is_date)
        and column.treat != "pseudonym"
    }
    return (declared | implied) - set(_left(disclosure, columns))


def _flags(rules: Iterable[Resolved]) -> set[str]:
    """Columns of which a value that a whole group shares tells a fact about everyone in it."""
    return {
        each
        for rule in rules
        if rule.entry.field_class in SENSITIVE and _has_few_values(rule)
        for each in rule.names
    }


def _has_few_values(rule: Resolved) -> bool:
    treat = rule.rule.treat.partition(":")[0]
    coded = rule.column.type == "boolean" or 0 < len(rule.column.codes) <= FEW_CODES
    return treat in {"flag", "threshold"} or (treat == "keep" and coded)


def _names(word: str, columns: tuple[ColumnRule, ...]) -> tuple[str, ...]:
    """The columns that a name in the limits means: itself, its waves, or its range."""
    wanted = set(expand_names(word))
    return tuple(
        column.name
        for column in columns
        if column.name in wanted
        or (column.wave and column.name.removesuffix(f"_{column.wave}") in wanted)
    )
