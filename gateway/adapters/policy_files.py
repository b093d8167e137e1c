"""The policies folder, read: text of each governed document by its path.

Nothing outside the folder is read through a symbolic link, nothing huge is read
at all; what is not a TOML file is passed over.

Source: docs/reference/policy.md; security point 14.
"""

from __future__ import annotations

from pathlib import Path

from gateway.errors import RefusedError, Unavailable, UsageError
from gateway.policy.reading import LARGEST

MOST_DOCUMENTS = 5_000


def read_policies(folder: Path) -> dict[str, bytes]:
    """Every governed document under a folder, by its path relative to it.

    Args:
        folder: the policies folder, with vocabulary.toml and the folders beside it.

    Returns:
        Relative POSIX path to bytes, as `gateway.policy.parse` takes them.

    Raises:
        UsageError: the folder does not exist.
        RefusedError: a link leads out of it, or a document is too large or they are too many.
        Unavailable: a document cannot be read.
    """
    if not folder.is_dir():
        raise UsageError(
            "policy/no-folder",
            "The policies folder does not exist.",
            remedy="Name it with GATEWAY_POLICIES.",
        )
    root = folder.resolve()
    paths = sorted(path for path in folder.rglob("*.toml"))
    if len(paths) > MOST_DOCUMENTS:
        raise RefusedError(
            "policy/too-many-documents",
            f"The policies folder holds more than {MOST_DOCUMENTS} documents.",
            remedy="Name the folder that holds policies only.",
        )
    return {path.relative_to(folder).as_posix(): _read(path, root) for path in paths}


def _read(path: Path, root: Path) -> bytes:
    if not path.resolve().is_relative_to(root):
        raise RefusedError(
            "policy/outside-folder",
            "A link leads out of the policies folder.",
            remedy="Put the document itself into the folder.",
            document=path.name,
        )
    try:
        if path.stat().st_size > LARGEST:
            raise RefusedError(
                "policy/too-large",
                "A document is larger than 1,000,000 bytes.",
                remedy="Split it, or remove what does not belong in it.",
                document=path.name,
            )
        return path.read_bytes()
    except OSError:
        raise Unavailable(
            "policy/unreadable",
            "A document of the policies folder cannot be read.",
            remedy="Check its permissions.",
            document=path.name,
        ) from None
