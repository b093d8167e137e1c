"""The one place where real parts are put together: settings in, desks out.

Each command loads only the parts that it works with: a name is looked up in its
module when somebody asks for it.

Source: docs/explanation/architecture.md, "The rooms".
"""

from __future__ import annotations

import importlib
from typing import Any, Final

_HOMES: Final = {
    "ahead": ("started_ahead", "warm_judge"),
    "common": ("append", "extract_store", "new_id", "now", "open_bundle", "open_database"),
    "receiving": ("contract_digest", "intake_desk"),
    "sharing": ("open_world", "release_documents", "share_desk"),
    "unlocking": ("unlock_ahead",),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"gateway.wiring.{home}"), name)
    raise AttributeError(name)
