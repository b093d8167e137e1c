"""What the preview of a draft works with, and its answer as a document.

Source: docs/explanation/architecture.md, "The rooms"; docs/explanation/disclosure.md, "Preview".
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from gateway.adapters.preview_desk import Draft, preview_desk
from gateway.adapters.settings import Settings
from gateway.wiring.sharing import share_desk
from gateway.workflows.ports import Progress
from gateway.workflows.preview import preview


def preview_of(settings: Settings, draft: Draft, *, progress: Progress) -> dict[str, Any]:
    """What a draft would do, in bounded counts.

    Args:
        settings: where everything lives.
        draft: what is asked about, by whom and why.
        progress: told each step.
    """
    with share_desk(settings, progress=progress, rehearsal=True) as desk:
        return asdict(preview(preview_desk(desk, draft)))
