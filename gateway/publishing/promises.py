"""What people are promised of a purpose, in plain words: each promise of the policy, one sentence.

In what state their information leaves, what finds them, which datasets it is read from,
which databases it meets and what may come back. `gateway/policy/linting_promises.py`
counts the same promises; a test changes each and demands another notice.

Source: UK GDPR Arts 13, 14; the councils' privacy notices of 2015; docs/reference/policy.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from gateway.policy import Bundle
from gateway.policy.agreements import CLASS_PREFIX, Join, Notice, Purpose
from gateway.policy.resolving import WIDE, find_column
from gateway.policy.treatments import expand_names

RETURNS: Mapping[str, str] = {
    "none": "Nothing comes back to us from those who receive it.",
    "decision": "A decision about you or your family may come back to us from those who "
    "receive it, and nothing else about you.",
    "aggregates": "Only counts and findings may come back to us. Nothing about you or your "
    "family comes back.",
    "updates": "News of you and your family may come back to us from those who receive it, "
    "so that our own record is kept up to date.",
}
COMING_BACK: Mapping[str, str] = {
    "none": "nothing",
    "decision": "a decision about the person or family",
    "aggregates": "counts and findings, and nothing about a person",
    "updates": "updates to the record of a person or family",
}
STATES: Mapping[str, str] = {
    "anonymous": "What leaves is anonymous: it is about nobody who could be told from it.",
    "de-identified": "What leaves is de-identified: those who use it do not learn who you are.",
    "pseudonymised": "What leaves may carry a code in place of your name. The code stays the "
    "same, so that those who use it can follow what is recorded of one person, without the name.",
    "identified": "What leaves may say who you are.",
}
IDENTIFIERS: Mapping[str, str] = {
    "name": "name",
    "address": "address",
    "date_of_birth": "date of birth",
    "sex": "sex",
    "nhs_number": "NHS number",
    "upn": "pupil number",
    "nino": "National Insurance number",
    "pnc_id": "Police National Computer number",
    "local_id": "reference number at the council",
}
# The councils' notices call the national databases by these names (Knowsley, 2015).
DATABASES: Mapping[str, str] = {
    "PNC": "Police National Computer and Prisons Database",
    "NPD": "National Pupil Database",
    "ILR": "Individualised Learner Record",
    "WPLS": "Work and Pensions Longitudinal Study",
    "HES": "Hospital Episode Statistics",
    "MHMDS": "Mental Health Minimum Dataset",
    "IAPT": "Improving Access to Psychological Therapies",
    "MCDS": "Maternity and Children's Data Set",
    "NDTMS": "National Drug Treatment Monitoring System",
    "CMD": "Crime Mapping Database",
    "DWP": "Department for Work and Pensions",
}
CLASSES: Mapping[str, str] = {
    "direct": "anything that says who you are",
    "key-variable": "anything that could tell who you are, together with other facts",
    "special-category": "anything about health, ethnicity, belief or the like",
    "criminal": "anything about crime",
    "plain": "any other fact about you",
}
_SPANS = {"d": "day", "w": "week", "m": "month", "y": "year"}
FAMILY_LEVEL = "What is sensitive is told of a family as a whole, never of one person in it."
_CUT = re.compile(r", one row | \(|:")
_STOP = re.compile(r"[;:.]")


def promises(purpose: Purpose, bundle: Bundle) -> Iterator[str]:
    """The sentences of a purpose; one that begins with "- " is an item of the one before it."""
    yield from _sources(purpose, bundle)
    yield from _limits(purpose.notice, bundle)
    databases = linked_databases(purpose)
    if databases:
        yield "It may be linked with what these hold about you:"
        yield from (f"- {each}" for each in databases)
    else:
        yield "It is linked with no other database."
    yield RETURNS[purpose.returns]


def linked_codes(purpose: Purpose) -> list[str]:
    """Every database that a purpose names, as its documents call it."""
    named: Iterable[str] = (
        *((purpose.notice.linked_with if purpose.notice else None) or ()),
        *(purpose.linked_with or ()),
        *(each for o in purpose.outputs.values() for each in o.linked_with or ()),
    )
    return list(dict.fromkeys(named))


def linked_databases(purpose: Purpose) -> list[str]:
    """Every database that a purpose names, by the name that people know."""
    return [
        f"{DATABASES[each]} ({each})" if each in DATABASES else each
        for each in linked_codes(purpose)
    ]


def sources(purpose: Purpose, bundle: Bundle) -> list[str]:
    """Every dataset that a purpose reads, by title: the one of its people, then each join."""
    return [
        dataset_title(purpose.spine, bundle) + _rows(purpose.spine, purpose.take, bundle),
        *(_joined(join, bundle) for join in purpose.joins or ()),
    ]


def dataset_title(dataset: str, bundle: Bundle) -> str:
    """What a dataset is called; how its rows are told apart is for those who send it."""
    contract = bundle.contracts.get(dataset)
    return _CUT.split(contract.title, maxsplit=1)[0] if contract else dataset


def field_meaning(field: str, bundle: Bundle) -> str:
    """What a field means, up to the first stop; its name in words where nobody says."""
    entry = bundle.vocabulary.fields.get(field)
    if entry is None:
        return field.replace("_", " ")
    meaning = meaning_itself(entry.meaning)
    # "NHS number" keeps its capitals.
    return meaning if meaning[:2].isupper() else meaning[:1].lower() + meaning[1:]


def meaning_itself(meaning: str) -> str:
    """What stands before the first stop; what follows it is for those who code the field."""
    return _STOP.split(meaning, maxsplit=1)[0]


def forbidden_meaning(word: str, bundle: Bundle) -> str:
    """What a prohibition is of: a class of fields, a field, or a run of them."""
    if word.startswith(CLASS_PREFIX):
        return CLASSES.get(word.removeprefix(CLASS_PREFIX), word)
    first, *rest = expand_names(word)
    told = field_meaning(first, bundle)
    return f"{told}, and what follows it up to {field_meaning(rest[-1], bundle)}" if rest else told


def days_after_receipt(until: str) -> str:
    """`receipt+30d` as people say it."""
    return f"{in_words(until.removeprefix('receipt+'))} after they receive it"


def in_words(length: str) -> str:
    """`365d` as people say it."""
    number = int(length[:-1])
    return f"{number} {_SPANS[length[-1]]}{'' if number == 1 else 's'}"


def _sources(purpose: Purpose, bundle: Bundle) -> Iterator[str]:
    spine, *joined = sources(purpose, bundle)
    yield f"It is read from: {spine}."
    if joined:
        yield "Beside it we read what is held about the same people in:"
        yield from (f"- {each}" for each in joined)


def _joined(join: Join, bundle: Bundle) -> str:
    key = _column_meaning(join.source, join.on, bundle)
    title = dataset_title(join.source, bundle)
    return f"{title}{_rows(join.source, join.take, bundle)}, matched by {key}"


def _rows(dataset: str, take: str, bundle: Bundle) -> str:
    if take.startswith(WIDE):
        column = take.removeprefix(WIDE)
        told = _column_meaning(dataset, column, bundle)
        return f", one column for each {column.replace('_', ' ')} ({told})"
    return ", the newest entry for each person" if take == "latest" else ""


def _column_meaning(dataset: str, word: str, bundle: Bundle) -> str:
    contract = bundle.contracts.get(dataset)
    column = find_column(contract, word) if contract else None
    return field_meaning(column.field if column else word, bundle)


def _limits(notice: Notice | None, bundle: Bundle) -> Iterator[str]:
    if notice is None:
        return
    yield STATES[notice.state]
    used = [IDENTIFIERS[each] for each in notice.identifiers or ()]
    if used:
        yield f"To find you, or to tell who you are, only this may be used: your {and_list(used)}."
    else:
        yield "No name, address, date of birth or national number is used to find you."
    if notice.level == "family":
        yield FAMILY_LEVEL
    if notice.fields:
        yield "No detail beyond these may leave:"
        words = (each for word in notice.fields for each in expand_names(word))
        yield from (f"- {field_meaning(word, bundle)}" for word in words)


def and_list(words: list[str]) -> str:
    """Words as a sentence lists them."""
    *most, last = words or ["nobody"]
    return f"{', '.join(most)} and {last}" if most else last
