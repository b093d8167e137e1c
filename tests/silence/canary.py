"""A canary: an invented person each of whose details can be found again in any clothing.

Every value is long and odd enough that chance does not make it, and lies in a
reserved range. `sightings` answers with the names of the details that it saw,
never with a value, so that a failing test does not spread what it complains of.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

HEADER = (
    "person_id",
    "family_id",
    "relation",
    "forename",
    "middle_names",
    "surname",
    "former_surname",
    "dob",
    "sex",
    "house_no",
    "address_line1",
    "street",
    "town",
    "postcode",
    "uprn",
    "nhs_number",
    "upn",
    "nino",
    "programme_arm",
    "criteria_met",
    "assessed",
    "start",
    "end",
    "intensity",
    "lead_practitioner",
    "participation",
    "participation_date",
    "protected",
    "extract_date",
    "source_org",
)


def nhs_number(stem: int) -> str:
    """A number of the test range with a true check digit, at or after a stem of nine digits."""
    digits = [int(digit) for digit in str(stem)]
    check = 11 - sum(weight * d for weight, d in zip(range(10, 1, -1), digits, strict=True)) % 11
    return nhs_number(stem + 1) if check == 10 else f"{stem}{0 if check == 11 else check}"


def upn(stem: str) -> str:
    """A pupil number of a pseudo-authority with a true check letter."""
    letters = "ABCDEFGHJKLMNPQRTUVWXYZ"
    return letters[sum(w * int(d) for w, d in zip(range(2, 14), stem, strict=True)) % 23] + stem


CANARY: Mapping[str, str] = {
    "person_id": "PX-7731-QUAIL-0098",
    "family_id": "FX-5520-HERON-0441",
    "forename": "Zwingelinde",
    "middle_names": "Oktavianne",
    "surname": "Quennelthorpe",
    "former_surname": "Vantriessenberg",
    "dob": "2009-08-27",
    "house_no": "7913",
    "address_line1": "7913 Xylophonists Reach",
    "street": "Xylophonists Reach",
    "town": "Wobblecombe Magna",
    "postcode": "ZB47 9XH",
    "uprn": "999888777123",
    "nhs_number": nhs_number(999_731_846),
    "upn": upn("003771909774"),
    "nino": "QQ918273C",
    "lead_practitioner": "Umberlyn Fazackerleigh",
    "source_org": "orlop-and-gantry-trust",
}

# Too short to be found by their own; they are covered by the longer details beside them.
SHORT = {"house_no"}
NUMBERS = ("nhs_number", "upn", "nino")
COMMON: Mapping[str, str] = {
    "relation": "CHILD",
    "sex": "2",
    "programme_arm": "PROG",
    "criteria_met": "C2;C4",
    "assessed": "2025-02-03",
    "start": "2025-03-03",
    "intensity": "MEDIUM",
    "participation": "CONSENT",
    "participation_date": "2025-02-03",
    "protected": "N",
    "extract_date": "2026-06-30",
}


def row(changes: Mapping[str, str] | None = None) -> str:
    """The canary's line of a family register; details can be replaced."""
    cells = {**COMMON, **CANARY, **(changes or {})}
    return ",".join(cells.get(name, "") for name in HEADER)


def neighbours(count: int) -> Iterator[str]:
    """Other invented people, so that the canary is one of many: families of two."""
    for number in range(count):
        yield row(
            {
                **dict.fromkeys(CANARY, ""),
                "person_id": f"P{number:05}",
                "family_id": f"F{number // 2:05}",
                "forename": "ABCDEFGHIJKLMNOPRSTUVW"[number % 22] + "nna",
                "surname": "Bricks" + "abcdefghijklmnopqrstuvwxyz"[number // 2 % 26],
                "dob": f"{1970 + number % 40}-0{1 + number % 9}-1{number % 9}",
                "sex": str(1 + number % 2),
                "postcode": f"ZA{1 + number % 3} {number % 10}AB",
                "house_no": str(1 + number % 90),
                "relation": "PARENT" if number % 2 else "CHILD",
            }
        )


def register(lines: list[str], others: int = 40) -> bytes:
    """A whole extract with these lines among the neighbours."""
    return ("\n".join([",".join(HEADER), *neighbours(others), *lines]) + "\n").encode()


def needles(details: Mapping[str, str] = CANARY) -> dict[bytes, str]:
    """Every form in which a detail could show -> the name of the detail."""
    found: dict[bytes, str] = {}
    for name, value in details.items():
        if name in SHORT or not value:
            continue
        spoken = {value, value.upper(), value.lower(), value.replace(" ", "")}
        if name.endswith("dob") and value[4:5] == value[7:8] == "-":
            year, month, day = value.split("-")
            spoken = {
                value,
                f"{day}/{month}/{year}",
                f"{year}{month}{day}",
                f"{day}.{month}.{year}",
            }
        if name.endswith("postcode"):
            spoken |= {value.replace(" ", "").lower()}
        for text in spoken:
            for form in _forms(text):
                if len(form) >= 6:
                    found[form] = name
        if name.endswith(NUMBERS):
            for kind in ("md5", "sha1", "sha256", "sha512", "blake2b"):
                digest = hashlib.new(kind, value.encode())
                found[digest.digest()[:16]] = name
                found[digest.hexdigest()[:32].encode()] = name
    return found


def sightings(content: bytes | str, details: Mapping[str, str] = CANARY) -> list[str]:
    """The names of the details that can be found in the content, or inside what it packs."""
    raw = content.encode() if isinstance(content, str) else content
    seen: set[str] = set()
    known = needles(details)
    for layer in _layers(raw):
        seen |= {name for needle, name in known.items() if needle in layer}
    return sorted(seen)


def sightings_below(
    folder: Path, details: Mapping[str, str] = CANARY, *, but: frozenset[Path] = frozenset()
) -> list[str]:
    """Every file of a folder, its name too: `file: detail` for each sighting."""
    seen = []
    for path in sorted(folder.rglob("*")):
        if path in but:
            continue
        seen += [f"name of {path.name[:8]}...: {name}" for name in sightings(path.name, details)]
        if path.is_file():
            seen += [f"{path.name}: {name}" for name in sightings(path.read_bytes(), details)]
    return seen


def in_file(path: Path, details: Mapping[str, str] = CANARY) -> list[str]:
    """The names of the details in one file; none where it has gone meanwhile."""
    try:
        return sightings(path.read_bytes(), details)
    except FileNotFoundError:
        return []


def _forms(text: str) -> Iterator[bytes]:
    plain = text.encode()
    yield plain
    yield text.encode("utf-16-le")
    yield text.encode("utf-32-le")
    yield plain.hex().encode()
    yield plain.hex().upper().encode()
    for shift in range(3):
        # base64 of a text that stands anywhere in a longer one: its inner letters do not change.
        packed = base64.b64encode(b"\0" * shift + plain)
        inner = packed[(shift * 8 + 5) // 6 : (shift + len(plain)) * 8 // 6]
        yield inner
        yield inner.replace(b"+", b"-").replace(b"/", b"_")


def _layers(raw: bytes, depth: int = 0) -> Iterator[bytes]:
    yield raw
    if depth >= 2:
        return
    for unpack in (_tar, _zip, _gzip, _xz, _zlib):
        try:
            inner = list(unpack(raw))
        except (OSError, ValueError, EOFError, tarfile.TarError, zipfile.BadZipFile):
            continue
        except (zlib.error, lzma.LZMAError):
            continue
        for part in inner:
            yield from _layers(part, depth + 1)


def _tar(raw: bytes) -> Iterator[bytes]:
    with tarfile.open(fileobj=io.BytesIO(raw), mode="r:") as package:
        for member in package:
            yield member.name.encode()
            file = package.extractfile(member)
            if file is not None:
                yield file.read()


def _zip(raw: bytes) -> Iterator[bytes]:
    with zipfile.ZipFile(io.BytesIO(raw)) as package:
        for member in package.namelist():
            yield package.read(member)


def _gzip(raw: bytes) -> Iterator[bytes]:
    yield gzip.decompress(raw)


def _xz(raw: bytes) -> Iterator[bytes]:
    yield lzma.decompress(raw)


def _zlib(raw: bytes) -> Iterator[bytes]:
    yield zlib.decompress(raw)
