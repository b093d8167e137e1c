"""The same as `load`, for one who reads the documents again and again as they change.

What has not changed is not read anew: an agreement is kept by its text and by what
it was checked against, everything else by its text. An edit of one agreement among
two hundred costs the reading of one.

Source: docs/reference/policy.md; docs/explanation/architecture.md.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple, TypeVar

from gateway.policy.agreements import Agreement
from gateway.policy.bundle import Bundle, Documents, build_agreement, load, standing_twice
from gateway.policy.findings import Finding
from gateway.policy.reading import Tree, read

AGREEMENTS = "agreements/"
BASES_KEPT = 8
BUNDLES_KEPT = 16

K = TypeVar("K")
V = TypeVar("V")
_Read = tuple[Tree, Agreement | None, tuple[Finding, ...]]
_Key = tuple[bytes, bytes]  # what an agreement was checked against, and its text


class _Kept(NamedTuple):
    """A bundle with its findings, and the agreements that it was made of."""

    bundle: Bundle
    findings: tuple[Finding, ...]
    made_of: frozenset[_Key]


class Rereader:
    """Reads bundles and remembers; one for each process that shows or checks policies."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._bases: OrderedDict[bytes, tuple[Bundle, tuple[Finding, ...]]] = OrderedDict()
        self._agreements: dict[_Key, _Read] = {}
        self._bundles: OrderedDict[bytes, _Kept] = OrderedDict()
        self._lock = threading.RLock()

    def load(self, documents: Documents) -> tuple[Bundle, tuple[Finding, ...]]:
        """What loads of the documents, and what stops the others; the same as `policy.load`.

        The same texts give the same bundle, so that what follows from it is known by it.
        """
        mark = _digest(part for path in sorted(documents) for part in (path, documents[path]))
        with self._lock:
            if mark not in self._bundles:
                self._bundles[mark] = self._loaded(documents)
                _recent(self._bundles, mark, BUNDLES_KEPT)
                self._forget()
            kept = _recent(self._bundles, mark, BUNDLES_KEPT)
            return kept.bundle, kept.findings

    def _loaded(self, documents: Documents) -> _Kept:
        mark, base, findings = self._base_of(documents)
        found: dict[str, Agreement] = {}
        trees: dict[str, Tree] = {}
        doubled: set[str] = set()
        more: list[Finding] = []
        paths = sorted(path for path in documents if _is_agreement(path))
        for path in paths:
            tree, agreement, faults = self._agreement(mark, path, documents[path], base)
            more += faults
            if agreement is None:
                continue
            if agreement.id in found:
                more.append(standing_twice(path, agreement.id))
                doubled.add(agreement.id)
            found[agreement.id], trees[agreement.id] = agreement, tree
        for key in doubled:
            del found[key], trees[key]
        bundle = replace(base, agreements=MappingProxyType(found), trees=MappingProxyType(trees))
        made_of = frozenset((mark, _digest([path, documents[path]])) for path in paths)
        return _Kept(bundle, (*findings, *more), made_of)

    def _forget(self) -> None:
        """Keep the agreements that a kept bundle is made of; what bundles share is one reading."""
        needed = frozenset[_Key]().union(*(kept.made_of for kept in self._bundles.values()))
        self._agreements = {key: self._agreements[key] for key in needed}

    def path_of(self, documents: Documents, agreement: str) -> str:
        """The document that states an agreement that loads; "" where none does."""
        with self._lock:
            mark, base, _ = self._base_of(documents)
            for path in sorted(path for path in documents if _is_agreement(path)):
                _, found, _ = self._agreement(mark, path, documents[path], base)
                if found is not None and found.id == agreement:
                    return path
        return ""

    def _base_of(self, documents: Documents) -> tuple[bytes, Bundle, tuple[Finding, ...]]:
        others = {path: text for path, text in documents.items() if not _is_agreement(path)}
        mark = _digest(part for path in sorted(others) for part in (path, others[path]))
        if mark not in self._bases:
            self._bases[mark] = load(others)
        return (mark, *_recent(self._bases, mark, BASES_KEPT))

    def _agreement(self, mark: bytes, path: str, text: str | bytes, base: Bundle) -> _Read:
        key = (mark, _digest([path, text]))
        if key not in self._agreements:
            self._agreements[key] = _read(path, text, base)
        return self._agreements[key]


def _read(path: str, text: str | bytes, base: Bundle) -> _Read:
    tree, findings = read(path, text)
    if findings:
        return {}, None, tuple(findings)
    agreement, faults = build_agreement(path, tree, base.knowledge)
    return tree, agreement, tuple(faults)


def _is_agreement(path: str) -> bool:
    return path.startswith(AGREEMENTS) and path.endswith(".toml")


def _digest(parts: Iterable[str | bytes]) -> bytes:
    digest = hashlib.sha256()
    for part in parts:
        octets = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        digest.update(len(octets).to_bytes(8) + octets)
    return digest.digest()


def _recent(kept: OrderedDict[K, V], key: K, most: int) -> V:
    """The value of a key, now the most recent; the oldest go."""
    kept.move_to_end(key)
    while len(kept) > most:
        kept.popitem(last=False)
    return kept[key]


def changed(before: Mapping[str, str], changes: Mapping[str, str]) -> dict[str, str]:
    """The documents with changes beside them; an empty text takes a document away."""
    return {path: text for path, text in {**before, **changes}.items() if text}
