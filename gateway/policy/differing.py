"""What differs between two values of the documents, leaf by leaf, in sentences.

Whatever changes the digest is said: each key that differs with what it was and what
it is, each word that joins or leaves a list, and the order of a list where it counts.

Source: docs/reference/policy.md, "Life of a version".
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.model import ContractColumn
from gateway.policy.digest import SETS
from gateway.policy.naming import Names, part
from gateway.policy.stating import attributes, facts, from_to, is_empty, is_list, stated

# Keys by which the items of a list are told apart, the first that fits.
_NAMED_BY = ("name", "source", "field", "id")


@dataclass(frozen=True, slots=True)
class _Place:
    """A key of the documents: as it is written, as it is said, and what it stands in."""

    key: str
    said: str
    where: str


@dataclass(frozen=True, slots=True)
class Differing:
    """The sentences about two values, in which things are called by their titles."""

    names: Names

    def parts(
        self, old: Any, new: Any, where: str, *, but: Collection[str] = (), within: str = ""
    ) -> Iterator[str]:
        """What differs between two parts of a document, key by key.

        Args:
            old: a document, a part of one, or a contract.
            new: the same, later.
            where: what the sentences call it.
            but: keys that are compared elsewhere.
            within: the key that it stands at, with a dot behind it.
        """
        before, after = attributes(old) or {}, attributes(new) or {}
        for key in {**before, **after}:
            if key not in but:
                place = self.place(within + key, where, of=type(new).__name__)
                yield from self.part(place, before.get(key), after.get(key))

    def place(self, key: str, where: str, *, of: str = "") -> _Place:
        """A key of something, as the sentences call it."""
        return _Place(key, part(key, of=of), where)

    def part(self, place: _Place, old: Any, new: Any) -> Iterator[str]:
        """What differs between two values at one key; at least one sentence if they differ."""
        if _same(old, new):
            return
        told = False
        for sentence in self._part(place, old, new):
            told = True
            yield sentence
        if not told:
            yield self._from_to(f"{place.said} of {place.where}", place.key, old, new)

    def sets(self, new: Any, where: str, *, but: Collection[str] = ()) -> Iterator[str]:
        """What a new part of a document says, one sentence for each key."""
        for key, value in (attributes(new) or {}).items():
            if key not in but and not is_empty(value):
                said = part(key, of=type(new).__name__)
                yield f"sets {said} of {where} to {stated(self.names, key, value)}"

    def content(self, value: Any, *, but: Collection[str] = ()) -> str:
        """What an entry says, in one line; a text is said as it is."""
        if attributes(value) is None:
            return stated(self.names, "", value)
        return "; ".join(facts(self.names, "", value, but=but))

    def _part(self, place: _Place, old: Any, new: Any) -> Iterator[str]:
        whole = f"{place.said} of {place.where}"
        if attributes(old) is not None and type(old) is type(new):
            yield from self.parts(old, new, place.where, within=f"{place.key}.")
        elif _tables(old, new):
            yield from self._entries(place.key, old or {}, new or {}, whole)
        elif _lists(old, new):
            yield from self._lists(place, tuple(old or ()), tuple(new or ()))
        elif old is None and not is_empty(new):
            yield f"adds {place.said} to {place.where}: {stated(self.names, place.key, new)}"
        elif new is None and attributes(old) is not None:
            yield f"removes {whole}, which was: {stated(self.names, place.key, old)}"
        else:
            yield self._from_to(whole, place.key, old, new)

    def _lists(self, place: _Place, old: tuple[Any, ...], new: tuple[Any, ...]) -> Iterator[str]:
        before, after = _by_name(old), _by_name(new)
        whole = f"{place.said} of {place.where}"
        if before is not None and after is not None:
            yield from self._entries(place.key, before, after, whole)
            old, new = tuple(before), tuple(after)
        else:
            for verb, preposition, items in (
                ("adds", "to", _minus(new, old)),
                ("removes", "from", _minus(old, new)),
            ):
                for each in items:
                    yield f"{verb} {self._item(place.key, each)} {preposition} {whole}"
        if _order_counts(place.key, old, new):
            now, was = (stated(self.names, place.key, each) for each in (new, old))
            yield f"changes the order of {whole}: now {now}; before {was}"

    def _entries(
        self, key: str, old: Mapping[Any, Any], new: Mapping[Any, Any], inside: str
    ) -> Iterator[str]:
        for word in sorted({*old, *new}, key=str):
            held = new[word] if word in new else old[word]
            named = self._named(key, str(word), held)
            if word not in old:
                yield f"adds {named} to {inside}: {self._entry(key, new[word])}"
            elif word not in new:
                yield f"removes {named} from {inside}, which was: {self._entry(key, old[word])}"
            elif not _same(old[word], new[word]):
                yield from self._entry_changed(key, f"{named} in {inside}", old[word], new[word])

    def _entry_changed(self, key: str, named: str, old: Any, new: Any) -> Iterator[str]:
        if attributes(old) is not None and type(old) is type(new):
            yield from self.parts(old, new, named)
        elif isinstance(old, Mapping) and isinstance(new, Mapping) and (old or new):
            yield from self._entries(key, old, new, named)
        else:
            yield self._from_to(named, key, old, new)

    def _entry(self, key: str, value: Any) -> str:
        if attributes(value) is None:
            return self._item(key, value)
        return self.content(value, but=("name",))

    def _item(self, key: str, value: Any) -> str:
        return stated(self.names, key, value)

    def _named(self, key: str, word: str, held: Any) -> str:
        if isinstance(held, ContractColumn):
            return self.names.of("field", held.field, word)
        return self.names.in_part(key, word)

    def _from_to(self, whole: str, key: str, old: Any, new: Any) -> str:
        return f"changes {whole} {from_to(self.names, key, old, new)}"


def _same(old: Any, new: Any) -> bool:
    """Equal, and of one type where a type is a difference: yes is not 1."""
    return old is new or bool(old == new and isinstance(old, bool) == isinstance(new, bool))


def _tables(old: Any, new: Any) -> bool:
    return any(isinstance(each, Mapping) for each in (old, new)) and all(
        isinstance(each, Mapping) or each is None for each in (old, new)
    )


def _lists(old: Any, new: Any) -> bool:
    return (is_list(old) or is_list(new)) and all(
        is_list(each) or each is None for each in (old, new)
    )


def _by_name(items: tuple[Any, ...]) -> dict[str, Any] | None:
    """Items by what tells them apart; None where nothing does."""
    held = [attributes(each) for each in items]
    for key in _NAMED_BY:
        names = [each.get(key) if each else None for each in held]
        if all(isinstance(each, str) for each in names) and len(set(names)) == len(names):
            return {str(name): item for name, item in zip(names, items, strict=True)}
    return None


def _minus(items: tuple[Any, ...], others: tuple[Any, ...]) -> list[Any]:
    """What `others` lacks, one that stands twice counting twice."""
    left, found = list(others), []
    for each in items:
        if each in left:
            left.remove(each)
        else:
            found.append(each)
    return sorted(found, key=str)


def _order_counts(key: str, old: tuple[Any, ...], new: tuple[Any, ...]) -> bool:
    """Whether the order differs beside what came last and what went."""
    kept = [each for each in old if each in new]
    come = [each for each in new if each not in old]
    last = key.rpartition(".")[2]
    if (last in SETS or f"{last}_" in SETS) and (come or len(kept) < len(old)):
        return False  # such a list means the same in any order
    return bool(old) and [*kept, *come] != list(new)
