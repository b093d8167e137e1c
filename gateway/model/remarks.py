"""What a person types as a reason, as everybody else will see it.

A reason is read by those who approve: characters that nobody sees, or that show
the rest in another order, could make it read as what was not written. They are
left out; the joiners that some scripts need stay.

Source: docs/reference/policy.md; Unicode TR 36.
"""

from __future__ import annotations

from gateway.model.unseen import seen


def remark(text: str, most: int) -> str:
    """The visible characters of a text on one line, at most so many of them.

    Args:
        text: as it was typed.
        most: characters that are kept.
    """
    return seen(" ".join(text.split())).strip()[:most]
