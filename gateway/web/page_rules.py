"""What the upload page needs to check a file before it is sent: rules, limits and words.

The rules are the contract's own, the limits the checker's, the words those of the
page of findings, so that the page can say no other thing than the gateway will. They
are made by a process beside this one, once for each state of the contracts.

Source: docs/reference/contracts.md, "In the browser"; docs/adr/0274; docs/adr/0304.
"""

from __future__ import annotations

import json
import threading
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import current_app

from gateway.adapters.policy_reading import DecisionInputs
from gateway.model import Contract
from gateway.web.asking import form_of
from gateway.web.desk import desk
from gateway.web.findings import VERDICTS, said
from gateway.web.precheck_words import LARGEST, MOST_ROWS

_KEPT = "gateway-page-rules"


@dataclass
class _Kept:
    """The documents of one state of the contracts, packed."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    of: Mapping[str, Contract] = field(default_factory=dict)
    packed: dict[str, bytes] = field(default_factory=dict)


def page_rules(read: DecisionInputs, contract: Contract) -> bytes:
    """Give the document that the page's check reads, as JSON.

    Args:
        read: the governed documents of this request.
        contract: one of theirs.

    Raises:
        Unavailable: the process that makes it did not answer.
    """
    kept: _Kept = current_app.extensions.setdefault(_KEPT, _Kept())
    with kept.lock:
        if kept.of != read.bundle.contracts:
            found = desk().aside.asked("rules", {"documents": _parts(read.documents)})
            kept.packed = {
                name: zlib.compress(json.dumps(completed(found[name], each)).encode())
                for name, each in read.bundle.contracts.items()
            }
            kept.of = read.bundle.contracts
        return zlib.decompress(kept.packed[contract.id])


def completed(rules: Mapping[str, Any], contract: Contract) -> dict[str, Any]:
    """The rules of the checker with what the pages say themselves."""
    words = {code: [said(told[0]), *told[1:]] for code, told in rules["words"].items()}
    return {
        **rules,
        "limits": {**rules["limits"], "bytes": LARGEST, "rows": MOST_ROWS},
        "words": words,
        "verdicts": sorted(VERDICTS),
        "agreed": {column.name: form_of(column) for column in contract.columns},
    }


def _parts(documents: Mapping[str, str]) -> dict[str, str]:
    """Every document but agreements: no contract depends on one."""
    return {path: text for path, text in documents.items() if not path.startswith("agreements/")}
