"""The forms of vocabulary, legal bases, recipients and datasets: what they show and write.

A form starts from the text as the draft has it and changes only the parts that were
changed on the page. What the strict reader would refuse in the entry is said at its
part, and nothing is saved; what it finds elsewhere is the draft's to show.

Source: docs/reference/policy.md; GOV.UK Design System, "Error summary".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.adapters import policy_editing as editing
from gateway.adapters.policy_entries import remove_entry, set_entry, set_row
from gateway.adapters.policy_reading import reader
from gateway.errors import UsageError
from gateway.policy import Finding
from gateway.policy.reading import read
from gateway.web.entry_kinds import Kind, parts_of
from gateway.web.entry_parts import EXPECTED, NotTaken, Part
from gateway.web.form_values import Fault, fault, first_of_each, unfit
from gateway.web.workshop import DraftView

MOST_FAULTS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry as a form shows it; `name` is empty for one that is to be made."""

    kind: Kind
    path: str
    name: str
    parts: tuple[Part, ...]
    values: Mapping[str, Any]
    columns: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()

    def shown(self) -> dict[str, str | Sequence[str]]:
        """Its values as the form shows them."""
        return {part.key: part.shown(self.values.get(part.key)) for part in self.parts}


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The documents of a draft as its list of forms shows them."""

    fields: tuple[str, ...]
    cohorts: tuple[str, ...]
    parties: tuple[str, ...]
    duties: tuple[str, ...]
    bases: tuple[str, ...]
    recipients: tuple[str, ...]
    datasets: tuple[str, ...]


def known(texts: Mapping[str, str]) -> Known:
    """What there is to change: entries by name, documents by path."""
    return Known(
        fields=names_in(texts, "vocabulary.toml", "fields"),
        cohorts=names_in(texts, "vocabulary.toml", "cohorts"),
        parties=names_in(texts, "vocabulary.toml", "parties"),
        duties=names_in(texts, "vocabulary.toml", "duties"),
        bases=names_in(texts, "legal-bases.toml", "bases"),
        recipients=tuple(sorted(path for path in texts if path.startswith("recipients/"))),
        datasets=tuple(sorted(path for path in texts if path.startswith("datasets/"))),
    )


def names_in(texts: Mapping[str, str], path: str, section: str) -> tuple[str, ...]:
    """The names of a section's entries, in the order of the document."""
    tree, _ = read(path, texts.get(path, ""))
    found = tree.get(section)
    if isinstance(found, (list, tuple)):
        return tuple(str(each.get("name")) for each in found if isinstance(each, Mapping))
    return tuple(found) if isinstance(found, Mapping) else ()


def entry(kind: Kind, view: DraftView, texts: Mapping[str, str], *, path: str, name: str) -> Entry:
    """An entry of a draft's documents, or an empty one where none is named.

    Raises:
        UsageError: the documents have no such entry.
    """
    path = path if kind.document.endswith("/") else kind.document
    found = _found(kind, texts, path, name) if path else {}
    if kind.key in {"column", "rule"} and not path:
        raise nothing()
    dataset = path if kind.key == "dataset" else ""
    return Entry(
        kind=kind,
        path=path,
        name=path.removeprefix(kind.document).removesuffix(".toml") if kind.whole else name,
        parts=parts_of(kind, view.bundle),
        values=_flat(found),
        columns=names_in(texts, dataset, "columns"),
        rules=names_in(texts, dataset, "rules"),
    )


def _found(kind: Kind, texts: Mapping[str, str], path: str, name: str) -> Mapping[str, Any]:
    """What a document says of an entry; nothing yet of one without a name."""
    if path not in texts or not path.startswith(kind.document):
        raise nothing()
    tree, faults = read(path, texts[path])
    if faults:
        raise editing.unreadable()
    if kind.whole or not name:
        return tree if kind.whole else {}
    section = tree.get(kind.section)
    found = section.get(name) if isinstance(section, Mapping) else _row(section, name)
    found = {kind.only: found} if kind.only and isinstance(found, str) else found
    if not isinstance(found, Mapping):
        raise nothing()
    return found


def _row(section: Any, name: str) -> Any:
    """One of a list of tables, by the name in it."""
    rows = section if isinstance(section, (list, tuple)) else ()
    return next((row for row in rows if row.get("name") == name), None)


def without(
    shown: Entry, view: DraftView, texts: Mapping[str, str]
) -> tuple[Mapping[str, str], list[Fault]]:
    """The text without an entry, by path, or what would not load any more."""
    kind, path = shown.kind, shown.path
    if not shown.name:
        raise nothing()
    if kind.whole:
        return {path: ""}, []
    place = (kind.section,) if kind.listed else (kind.section, shown.name)
    text = remove_entry(texts[path], place, row=shown.name if kind.listed else "")
    text = _next_version(kind, view, texts, path, text)
    before = {(each.document, each.where, each.sentence) for each in reader().load(texts)[1]}
    _, findings = reader().load({**texts, path: text})
    faults = [
        fault(f"{each.document}, {each.where}: {each.sentence}", "take-out")
        for each in findings
        if (each.document, each.where, each.sentence) not in before
    ]
    return ({}, faults[:MOST_FAULTS]) if faults else ({path: text}, [])


def _next_version(
    kind: Kind, view: DraftView, texts: Mapping[str, str], path: str, text: str
) -> str:
    """A document that the draft did not change before is one version further."""
    if path in view.draft.changes or path not in texts or not kind.versioned:
        return text
    return editing.with_version(text, editing.version_of(texts[path]) + 1)


def written(
    shown: Entry, form: Mapping[str, str], view: DraftView, texts: Mapping[str, str]
) -> tuple[Mapping[str, str], list[Fault]]:
    """The text that a form makes of an entry, by path, or every fault; nothing if it says it."""
    name, faults = _named(shown, form, texts)
    long = [each.key for each in shown.parts if each.of_lines]
    faults += unfit(form, {each.key: each.named for each in shown.parts}, lines=long)
    parts, more = _parts(shown, form)
    if faults or more:
        return {}, first_of_each([*faults, *more])
    path = shown.path or f"{shown.kind.document}{name}.toml"
    if not parts and shown.values:
        return {}, []  # a version more would end approvals
    place = () if shown.kind.whole else (shown.kind.section, name)
    text = _edited(shown, texts.get(path, ""), place, parts, name)
    text = _next_version(shown.kind, view, texts, path, text)
    faults = _refused(shown, {**texts, path: text}, texts, path, _at(shown, path, text, name))
    return ({}, faults) if faults else ({path: text}, [])


def _named(
    shown: Entry, form: Mapping[str, str], texts: Mapping[str, str]
) -> tuple[str, list[Fault]]:
    """The name of an entry: its own, or the one that a new one is given."""
    if shown.name:
        return shown.name, []
    name = form.get("new-name", "").strip()
    if not shown.kind.name.fullmatch(name):
        return "", [fault(f"Enter a name. {shown.kind.name_hint}", "new-name")]
    taken = (
        f"{shown.kind.document}{name}.toml" in texts
        if shown.kind.whole
        else name in names_in(texts, shown.path, shown.kind.section)
    )
    told = "There is one of this name already: change it, or choose another name"
    return name, [fault(told, "new-name")] if taken else []


def _parts(shown: Entry, form: Mapping[str, str]) -> tuple[dict[str, Any], list[Fault]]:
    """The parts that differ from what the page showed, or every fault of what was typed."""
    changed: dict[str, Any] = {}
    faults: list[Fault] = []
    for part in shown.parts:
        had = shown.values.get(part.key)
        if part.untouched(form, had) and not (part.required and had is None):
            continue
        try:
            typed = part.read(form)
        except NotTaken:
            faults.append(fault(f"{part.named}: {EXPECTED[part.takes].lower()}", part.key))
            continue
        if part.required and typed is None:
            faults.append(fault(f"{part.named}: this is needed", part.key))
        elif not part.alike(typed, had):
            changed[part.key] = part.ordered(typed, had)
    return changed, faults


def _edited(
    shown: Entry, text: str, place: tuple[str, ...], parts: Mapping[str, Any], name: str
) -> str:
    """The document with the changed parts, those of inner tables in theirs."""
    own = {key: value for key, value in parts.items() if "." not in key}
    if shown.kind.listed:
        return set_row(text, shown.kind.section, name, own)
    if shown.kind.only:
        return set_entry(text, place[:-1], {name: own[shown.kind.only]}) if own else text
    if not text:
        own = {"id": name, **own} | ({"version": 1} if shown.kind.versioned else {})
    text = set_entry(text, place, own)
    for inner in shown.kind.inner:
        dotted = {
            key.removeprefix(f"{inner}."): value
            for key, value in parts.items()
            if key.startswith(f"{inner}.")
        }
        if dotted:
            text = set_entry(text, (*place, inner), dotted)
    return text


def _at(shown: Entry, path: str, text: str, name: str) -> tuple[str | int, ...]:
    """The keys that lead to the entry, as a finding names them."""
    kind = shown.kind
    if kind.whole:
        return ()
    rows = names_in({path: text}, path, kind.section) if kind.listed else ()
    return (kind.section, rows.index(name) if kind.listed else name)


def _refused(
    shown: Entry,
    after: Mapping[str, str],
    texts: Mapping[str, str],
    path: str,
    place: tuple[str | int, ...],
) -> list[Fault]:
    """What the strict reader finds in the entry that it did not find before, at its part."""
    before = {(each.where, each.sentence) for each in reader().load(texts)[1]}
    _, findings = reader().load(after)
    return [
        _at_part(shown, finding, place)
        for finding in findings
        if finding.document == path
        and (finding.where, finding.sentence) not in before
        and _concerns(shown, finding, place)
    ]


def _concerns(shown: Entry, finding: Finding, place: tuple[str | int, ...]) -> bool:
    """Whether a finding is of what the form asks; a dataset's first column comes later."""
    if finding.path[: len(place)] != place and finding.path:
        return False
    rest = finding.path[len(place) :]
    return not rest or any(part.key.split(".")[0] == rest[0] for part in shown.parts)


def _at_part(shown: Entry, finding: Finding, place: tuple[str | int, ...]) -> Fault:
    rest = [str(each) for each in finding.path[len(place) :]] or [finding.where]
    told = f"{finding.sentence} {finding.remedy}".strip()
    for part in shown.parts:
        if part.key == ".".join(rest[: part.key.count(".") + 1]):
            return fault(f"{part.named}: {told}", part.key)
    return fault(told[:1].upper() + told[1:], shown.parts[0].key)


def _flat(tree: Mapping[str, Any]) -> dict[str, Any]:
    """The values of an entry; those of inner tables by dotted key."""
    flat = dict(tree)
    for key, value in tree.items():
        if isinstance(value, Mapping):
            flat |= {f"{key}.{inner}": each for inner, each in value.items()}
    return flat


def nothing() -> UsageError:
    """The refusal of what no form can change."""
    return UsageError(
        "policy/nothing-to-edit",
        "The draft has no such document or entry that a form can change.",
        remedy="Reload the page; somebody may have changed the text.",
    )
