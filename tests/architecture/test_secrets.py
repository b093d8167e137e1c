"""Nothing that the repository holds opens anything, names this machine, or points at a registry.

Authority: security point 7; `keys/README.md`. Run alone it is the pre-commit scan.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.architecture import house

# Put together from parts, so that this file does not find itself.
SECRETS = {
    "an age secret key": "AGE-SECRET" + "-KEY-(PQ-)?1[0-9A-Za-z]{20,}",
    "a private key": "-----BEGIN [A-Z ]*" + "PRIVATE KEY",
    "a signed token": r"\bey" + r"J[A-Za-z0-9_-]{20,}\.ey" + r"J[A-Za-z0-9_-]{10,}\.",
    "a private JWK": r'"d"\s*:\s*"[A-Za-z0-9_-]{40,}"',
    "a password in an address": r"[a-z]+://[^/\s:@*{<\"'$]+:[^/\s:@*{<\"'$]+@[a-z0-9]",
}
# 32 bytes in hex are a key unless the line says that they are public.
BARE_HEX = re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{64}(?![0-9A-Za-z])")
PUBLIC_HEX = re.compile(r"fingerprint|digest|sha256|sha-256|public|ed25519:|root|checkpoint", re.I)
HEX_KINDS = {".toml", ".json", ".pub", ".cfg", ".ini", ".env"}

HOMES = ("home/[a-z]", "Users/[A-Za-z]", "ro" + "ot/", "wo" + "rk/")
PLACES = re.compile(r"(?:^|[^A-Za-z0-9_.~])/(?:" + "|".join(HOMES) + ")")
REGISTRIES = re.compile(
    "|".join(
        (
            r"py" + r"pi\.org",
            r"files\.python" + r"hosted",
            r"registry\.np" + r"mjs",
            r"index" + r"-url",
            r"conda\." + r"anaconda",
            r"https?://\S+\.(?:whl|tgz|tar\.gz)\b",
            r'"resolved"\s*:\s*"http',
        )
    )
)
IN_KEYS = {".md", ".pub", ".toml", ".json"}


def texts() -> list[tuple[Path, str]]:
    """Every text file that version control holds or would take."""
    readable = []
    for path in house.tracked():
        try:
            readable.append((path, path.read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            continue
    return readable


@pytest.mark.parametrize("kind", sorted(SECRETS))
def test_the_repository_holds_no_secret(kind: str) -> None:
    pattern = re.compile(SECRETS[kind])
    # A test that passwords are masked must name one; its address leads nowhere.
    masked = kind == "a password in an address"
    assert [
        house.named(path)
        for path, text in texts()
        if pattern.search(text) and not (masked and house.REPOSITORY / "tests" in path.parents)
    ] == []


def test_no_document_holds_32_bytes_that_are_not_said_to_be_public() -> None:
    unexplained = [
        f"{house.named(path)}:{number}"
        for path, text in texts()
        if path.suffix in HEX_KINDS and "vectors" not in path.parts
        for number, line in enumerate(text.splitlines(), start=1)
        if BARE_HEX.search(line) and not PUBLIC_HEX.search(line)
    ]
    assert unexplained == []


def test_the_folder_of_public_keys_holds_only_what_is_public() -> None:
    strange = [
        house.named(path)
        for path in house.tracked()
        if path.relative_to(house.REPOSITORY).parts[0] == "keys"
        and path.suffix not in IN_KEYS
        and path.name != ".gitignore"
    ]
    assert strange == []


def test_no_file_names_a_place_of_the_machine_it_was_written_on() -> None:
    assert [
        f"{house.named(path)}:{number}"
        for path, text in texts()
        for number, line in enumerate(text.splitlines(), start=1)
        if PLACES.search(line)
    ] == []


def test_no_file_names_a_package_registry() -> None:
    assert [
        f"{house.named(path)}:{number}"
        for path, text in texts()
        for number, line in enumerate(text.splitlines(), start=1)
        if REGISTRIES.search(line)
    ] == []


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("an age secret key", "AGE-SECRET" + "-KEY-1" + "Q" * 58),
        ("a private key", "-----BEGIN " + "PRIVATE KEY-----"),
        ("a private JWK", '"d": "' + "A" * 43 + '"'),
        ("a password in an address", "postgresql://gate:" + "opensesame@db/x"),
    ],
)
def test_the_scan_finds_what_it_looks_for(kind: str, text: str) -> None:
    assert re.search(SECRETS[kind], text)
