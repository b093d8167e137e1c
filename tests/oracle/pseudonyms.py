"""`std1` and `sfg1` a row at a time, from docs/reference/pseudonyms.md, on the standard library.

Slow and plain on purpose. Only the four published tables are read, as files.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
from pathlib import Path

TABLES = Path(__file__).parents[2] / "gateway" / "identity" / "tables"


def table(name: str) -> list[tuple[str, str]]:
    lines = (TABLES / name).read_text(encoding="utf-8").split("\n")
    return [tuple(line.split("\t")) for line in lines if line]  # type: ignore[misc]


FOLD = {chr(int(code, 16)): text for code, text in table("std1-fold.tsv")}
NICKNAMES = dict(table("nicknames-1.tsv"))
STREETS = dict(table("streets-1.tsv"))
SENTINELS = table("sentinels-1.tsv")
WHITE = set("\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000") | {
    chr(code) for code in range(0x2000, 0x200B)
}
BREAKS = WHITE | set("-/,_\u2212") | {chr(code) for code in range(0x2010, 0x2016)}
UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DIGITS = "0123456789"
TITLES = {"MR", "MRS", "DR", "MISS", "MS", "MX", "MSTR", "PROF", "SIR", "LADY"}
PREFIXES = {
    "DE",
    "DA",
    "DU",
    "ST",
    "MC",
    "MAC",
    "VAN",
    "VON",
    "LA",
    "LE",
    "O",
    "AL",
    "DER",
    "EL",
    "DI",
    "DEL",
    "UL",
    "BIN",
    "SAN",
    "BA",
}


def ascii_upper(text: str) -> str:
    return "".join(chr(ord(c) - 32) if "a" <= c <= "z" else c for c in text)


def trim(text: str) -> str:
    while text and text[0] in WHITE:
        text = text[1:]
    while text and text[-1] in WHITE:
        text = text[:-1]
    return text


def words(text: str, breaks: set[str]) -> list[str]:
    parts, part = [], ""
    for c in text + " ":
        if c in breaks or c == " ":
            if part:
                parts.append(part)
            part = ""
        else:
            part += c
    return parts


def present(text: str | None, scopes: tuple[str, ...] = ("any", "not-surname")) -> str | None:
    if text is None:
        return None
    text = trim(text)
    plain = ascii_upper(" ".join(words(text, WHITE)))
    if not text or any(plain == value for value, scope in SENTINELS if scope in scopes):
        return None
    return text


def fold(text: str) -> str:
    return "".join(FOLD.get(c, c) for c in text)


def letters(text: str) -> list[str]:
    kept = ""
    for c in text:
        if c in BREAKS:
            kept += " "
        elif ascii_upper(c) in UPPER:
            kept += ascii_upper(c)
    return words(kept, {" "})


def name(text: str | None, surname: bool = False) -> list[str]:
    scopes = ("any",) if surname else ("any", "not-surname")
    text = present(text, scopes)
    parts = [] if text is None else letters(fold(text))
    placeholders = [value for value, scope in SENTINELS if scope == "name"]
    while True:
        before = list(parts)
        if " ".join(parts) in placeholders:
            return []
        if len(parts) > 1 and parts[0] in TITLES:
            parts = parts[1:]
        if surname:
            joined: list[str] = []
            run: list[str] = []
            for part in parts:
                run.append(part)
                if part not in PREFIXES:
                    joined.append("".join(run))
                    run = []
            parts = joined + run
        if parts == before:
            return parts


def at(parts: list[str], place: int) -> str | None:
    return parts[place] if place < len(parts) else None


def day(text: str | None) -> dt.date | None:
    text = trim(text or "")
    shape = "".join("9" if c in DIGITS else c for c in text)
    if shape != "9999-99-99":
        return None
    try:
        return dt.date(int(text[:4]), int(text[5:7]), int(text[8:]))
    except ValueError:
        return None


def born(text: str | None, placeholders: list[str] = [], last: str | None = None) -> str | None:  # noqa: B006
    date = day(text)
    if date is None or date < dt.date(1895, 1, 1):
        return None
    iso = date.isoformat()
    if iso in {"1900-01-01", "1901-01-01", *placeholders} or (last and iso > last):
        return None
    return iso


def sex(text: str | None) -> str | None:
    return trim(text or "") if trim(text or "") in {"1", "2"} else None


def shape_of(text: str) -> str:
    return "".join("9" if c in DIGITS else "A" for c in text)


def postcode(text: str | None, form: str = "") -> str | None:
    code = "".join(c for c in text or "" if ascii_upper(c) in UPPER or c in DIGITS)
    if form == "digits":
        return code if 3 <= len(code) <= 10 and all(c in DIGITS for c in code) else None
    code = ascii_upper(code)
    if code == "GIR0AA":
        return code
    out, back = code[:-3], code[-3:]
    if shape_of(out) not in {"A9", "A99", "A9A", "AA9", "AA99", "AA9A"} or shape_of(back) != "9AA":
        return None
    if out[0] in "QVX" or any(c in "CIKMOV" for c in back[1:]):
        return None
    if shape_of(out)[1] == "A" and out[1] in "IJZ":
        return None
    if shape_of(out) == "A9A" and out[2] not in "ABCDEFGHJKPSTUW":
        return None
    if shape_of(out) == "AA9A" and out[3] not in "ABEHMNPRVWXY":
        return None
    return code


def house(text: str | None) -> str | None:
    text = trim(text or "")
    digits = ""
    while text and text[0] in DIGITS:
        digits, text = digits + text[0], text[1:]
    digits = digits.lstrip("0")
    if not digits:
        return None
    if text and ascii_upper(text[0]) in UPPER and not (text[1:] and ascii_upper(text[1]) in UPPER):
        return digits + ascii_upper(text[0])
    return digits


def street(text: str | None) -> str | None:
    text = present(text)
    if text is None:
        return None
    text = fold(text)
    while True:
        rest = text.lstrip(DIGITS)
        if rest == text:
            break
        if rest and ascii_upper(rest[0]) in UPPER:
            rest = rest[1:]
        if rest and rest[0] not in " ,/-":
            break
        text = rest.lstrip(" ,/-")
    parts = letters(text)
    if len(parts) > 1:
        parts[-1] = STREETS.get(parts[-1], parts[-1])
    return "".join(parts) or None


def town(text: str | None) -> str | None:
    text = present(text)
    return None if text is None else "".join(letters(fold(text))) or None


def compact(text: str | None) -> str:
    return "".join(c for c in text or "" if c not in WHITE and c != "-")


def uprn(text: str | None) -> str | None:
    text = trim(text or "")
    number = text.lstrip("0")
    return number if number and len(number) <= 12 and all(c in DIGITS for c in number) else None


def nhs(text: str | None, synthetic: bool) -> str | None:
    number = compact(text)
    if len(number) != 10 or any(c not in DIGITS for c in number) or len(set(number)) == 1:
        return None
    check = 11 - sum(int(c) * (10 - i) for i, c in enumerate(number[:9])) % 11
    if check == 10 or check % 11 != int(number[9]):
        return None
    return None if number.startswith("999") and not synthetic else number


def upn(text: str | None) -> str | None:
    code = ascii_upper(compact(text))
    if len(code) != 13 or any(c not in DIGITS for c in code[1:]):
        return None
    check = sum(int(c) * weight for weight, c in enumerate(code[1:], start=2)) % 23
    return code if "ABCDEFGHJKLMNPQRTUVWXYZ"[check] == code[0] else None


def nino(text: str | None, synthetic: bool) -> str | None:
    code = ascii_upper(compact(text))
    if len(code) not in {8, 9} or any(c not in DIGITS for c in code[2:8]):
        return None
    if len(code) == 9 and code[8] not in "ABCD":
        return None
    if code[:2] == "QQ":
        return code[:8] if synthetic else None
    bad = {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ", "OO", "CR", "FY", "MW", "NC"}
    if any(c not in UPPER or c in "DFIQUV" for c in code[:2]) or code[1] == "O":
        return None
    return None if code[:2] in bad else code[:8]


def elements(row: dict[str, str | None], contract: dict[str, object]) -> dict[str, str | None]:
    """Every element of one row, given by role; `contract` says population, sex, postcode_form."""
    synthetic = contract.get("population") == "synthetic"
    fore, sur = name(row.get("forename")), name(row.get("surname"), surname=True)
    middle = name(row.get("middle_names"))
    first = at(fore, 0)
    return {
        "fn1": first,
        "fn2": at(fore, 1),
        "fnx": "".join(fore) or None,
        "sn1": at(sur, 0),
        "sn2": at(sur, 1),
        "snx": "".join(sur) or None,
        "mn": at(middle, 0) or at(fore, 1),
        "alpha": "".join(sorted("".join(fore) + "".join(sur))) if fore and sur else None,
        "nick": NICKNAMES.get(first, first) if first else None,
        "dob": born(row.get("date_of_birth")),
        "sex": "-" if contract.get("sex") == "not-collected" else sex(row.get("sex")),
        "pc": postcode(row.get("postcode"), str(contract.get("postcode_form", ""))),
        "hn": house(row.get("house_number")),
        "st": street(row.get("street")),
        "town": town(row.get("town")),
        "uprn": uprn(row.get("uprn")),
        "nhs": nhs(row.get("nhs_number"), synthetic),
        "upn": upn(row.get("upn")),
        "nino": nino(row.get("nino"), synthetic),
    }


def soundex(text: str) -> str:
    codes = {"BFPV": "1", "CGJKQSXZ": "2", "DT": "3", "L": "4", "MN": "5", "R": "6"}

    def code(c: str) -> str:
        return next((digit for group, digit in codes.items() if c in group), "")

    out, last = text[0], code(text[0])
    for c in text[1:]:
        if c in "HW":
            continue
        if code(c) and code(c) != last:
            out += code(c)
        last = code(c)
    return (out + "000")[:4]


RECIPES = """
T01 fnx snx dob sex pc | T21 dob pc hn | T02 fn1 sn1 dob sex uprn | T22 fn1[:3] sn1[:3] dob
T03 fn1 sn1 dob pc | T23 fn1[-3:] sn1[-3:] dob sector | T04 fn1&sn1 dob sex pc
T24 fn1[:3] sn1 year month pc | T05 nick sn1 dob sex pc | T25 fn1[:3] sn1 month day pc
T06 mn sn1 dob sex pc | T26 fn1[:3] sn1 year day pc | T07 ~fn1 ~sn1 dob pc
T27 fn1 year month pc hn | T08 alpha dob | T28 fn1 month day pc hn | T09 fn1 sn1 dob sex
T29 fn1 year day pc hn | T10 fn1[:1] dob sex pc | T30 sn1 year month pc hn
T11 sn1[:1] dob sex pc | T31 sn1 month day pc hn | T12 fn1[:1] sn1[:1] dob sex district
T32 ~fn1 sn1 dob district | T13 fn1[:2] sn1[:2] dob sex area | T33 fn1 ~sn1 dob district
T14 fn1 sn1 year sex area | T34 fn1 dob st | T15 fn1 sn1 year month district | T35 sn1 dob st
T16 fn1 sn1 year day district | T36 fn1[:1] sn1 dob | T17 fn1 sn1 month day district
T37 fn1 sn1[:1] dob area | T18 fn1 sn1 year day&month | T38 dob hn st | T19 fn1 dob pc hn
T39 fn1 dob town | T20 sn1 dob pc hn | TN-nhs nhs | TN-upn upn | TN-nino nino
"""
TOKENS = {
    line.split()[0]: line.split()[1:]
    for line in RECIPES.strip().replace("\n", "|").split("|")
    if line.strip()
}


def part(word: str, row: dict[str, str | None]) -> str | None:
    dob, pc = row.get("dob"), row.get("pc")
    if "&" in word:
        both = [part(each, row) for each in word.split("&")]
        return None if None in both else "\x1f".join(sorted(str(each) for each in both))
    if word in {"year", "month", "day"}:
        return dob and dob.split("-")[["year", "month", "day"].index(word)]
    if word in {"sector", "district", "area"}:
        if pc is None:
            return None
        if pc[0] in DIGITS:
            return pc[:2] if word == "area" else pc[:-1]
        if word == "area":
            return (
                pc[: next(i for i, c in enumerate(pc) if c in DIGITS)] if pc != "GIR0AA" else "GIR"
            )
        return pc[:-2] if word == "sector" else pc[:-3]
    if word.startswith("~"):
        whole = row.get(word[1:])
        return whole and soundex(whole)
    if "[" in word:
        whole, cut = row.get(word[:3]), word[4:-1]
        count = int(cut.strip("-:"))
        if whole is None or len(whole) < count:
            return None
        return whole[-count:] if cut.startswith("-") else whole[:count]
    return row.get(word)


def frame(*parts: str) -> bytes:
    return b"".join(len(p.encode()).to_bytes(2, "big") + p.encode() for p in parts)


def hkdf(root: bytes, info: bytes) -> bytes:
    extracted = hmac.new(bytes(32), root, hashlib.sha256).digest()
    return hmac.new(extracted, info + b"\x01", hashlib.sha256).digest()


def base32(value: bytes) -> str:
    return base64.b32encode(value).decode().rstrip("=").lower()


def digest(key: bytes, name_: str, parts: list[str]) -> bytes:
    person = ("sfg1/" + name_).encode().ljust(16, b".")
    return hashlib.blake2b(b"\x01" + frame(*parts), key=key, digest_size=16, person=person).digest()


def components(row: dict[str, str | None], token: str) -> list[str] | None:
    parts = [part(word, row) for word in TOKENS[token]]
    return None if None in parts else [str(each) for each in parts]


def token_key(root: bytes, study: str, unit: str, epoch: str) -> bytes:
    return hkdf(root, frame("sfg1", "token", "std1", study, unit, epoch))


def token(row: dict[str, str | None], name_: str, key: bytes) -> str | None:
    parts = components(row, name_)
    return None if parts is None else base32(digest(key, name_, parts))
