"""The words that a text may use, each with its meaning, for the editor's completion.

Source: docs/reference/policy.md; docs/adr/0296.
"""

from __future__ import annotations

from collections.abc import Mapping

from gateway.policy import Bundle
from gateway.policy.treatments import SAID
from gateway.web import draft_forms

LONGEST = 80


def words(bundle: Bundle) -> list[Mapping[str, str]]:
    """Fields, treatments, duties, legal bases and parties, by name.

    Args:
        bundle: the documents as the draft would have them.
    """
    offered = draft_forms.known(bundle)
    meant = {
        **offered.parties,
        **offered.duties,
        **offered.bases,
        **SAID,
        **{name: field.meaning for name, field in bundle.vocabulary.fields.items()},
    }
    return [{"label": word, "detail": meant[word][:LONGEST]} for word in sorted(meant)]
