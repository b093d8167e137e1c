"""Are the columns of an output named, limited and coarsened in a way that holds?

Source: docs/reference/policy.md, "How a field rule finds its column" and "Disclosure limits".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from gateway.policy.agreements import Disclosure, Output
from gateway.policy.findings import name, suggest
from gateway.policy.resolving import Fault, Resolved
from gateway.policy.treatments import expand_names, is_coarser, is_treatment

# Columns that the gateway writes itself; a slot goes with every row of tokens.
SLOT = "slot"
RESERVED = frozenset({"link_id", "pseudonym", SLOT})


def column_faults(output: Output, resolved: Sequence[Resolved]) -> Iterator[Fault]:
    """What the output says of columns that it does not have, or may not say of those it has."""
    yield from _reserved(resolved)
    unknown = list(_unknown(output, {n: n for r in resolved for n in (r.name, *r.names)}))
    yield from unknown
    if output.disclosure is not None and not unknown:
        yield from _steps(output.disclosure, resolved)


def _reserved(resolved: Sequence[Resolved]) -> Iterator[Fault]:
    for rule in resolved:
        for taken in sorted({each.casefold() for each in rule.names} & RESERVED):
            yield Fault(
                code="policy/reserved-name",
                path=("fields", rule.name),
                sentence=f"{name(taken)} is a column that the gateway writes itself.",
                remedy="Give the column another name, with `from`.",
            )


def _unknown(output: Output, columns: Mapping[str, str]) -> Iterator[Fault]:
    limits = output.disclosure
    named: list[tuple[tuple[str, ...], Iterable[str]]] = [
        (("tables", key, "by"), table.by) for key, table in output.tables.items()
    ]
    if limits is not None:
        named += [
            (("disclosure", "key_variables"), limits.key_variables or ()),
            (("disclosure", "l"), limits.l),
            (("disclosure", "not_key"), limits.not_key),
            (("disclosure", "coarsen"), (step.field for step in limits.coarsen or ())),
        ]
    for path, words in named:
        for word in words:
            if any(each not in columns for each in expand_names(word)):
                yield Fault(
                    code="policy/unknown-column",
                    path=path,
                    sentence=f"this output has no column {name(word)}.",
                    remedy=suggest(word, columns) or "Name a field of this output.",
                )


def _steps(limits: Disclosure, resolved: Sequence[Resolved]) -> Iterator[Fault]:
    """Each step must be strictly coarser than what its column has been treated to before it."""
    treats = {each: rule.rule.treat for rule in resolved for each in (rule.name, *rule.names)}
    for step in limits.coarsen or ():
        if not is_treatment(step.treat):
            yield Fault(
                code="policy/unknown-treatment",
                path=("disclosure", "coarsen"),
                sentence="this is not a treatment of the closed set.",
                remedy='See docs/reference/policy.md, "Treatments".',
            )
            continue
        for each in expand_names(step.field):
            if not is_coarser(step.treat, treats[each]):
                yield Fault(
                    code="policy/not-coarser",
                    path=("disclosure", "coarsen"),
                    sentence=f"{name(each)} is not made coarser by {name(step.treat)}.",
                    remedy="Go from finer to coarser: sector, district, area; month, quarter, "
                    "year; age, age-band-5, age-band-10.",
                )
            treats[each] = step.treat
