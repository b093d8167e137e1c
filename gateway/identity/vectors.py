"""The published test vectors, worked out by the product's own code.

Two at least for each element and token. Whoever implements the page in another
language compares with these; a second implementation in our tests does.

Source: docs/reference/pseudonyms.md; docs/reference/commands.md, `pseudonym vectors`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import polars as pl

from gateway.identity import derivation, match_keys
from gateway.identity.letters import soundex
from gateway.identity.standardise import standardise
from gateway.model import shipped
from gateway.model.contract import Contract, ContractColumn
from gateway.model.roots import ControllerRoot, RegisterRoot, StudyRoot
from gateway.model.tokens import ELEMENTS, SCHEME, STANDARD, TOKEN_NAMES
from gateway.model.words import Role

ROOT: Final = bytes(range(32))
STUDY: Final = "example-study"
UNIT: Final = "example-unit"
EPOCH: Final = "2026-1"

_PEOPLE: Final = (
    {
        Role.FORENAME: "Dr Zoë Mary-Ann",
        Role.MIDDLE_NAMES: "Li Grace",
        Role.SURNAME: "van der Berg-O’Brien",
        Role.DATE_OF_BIRTH: "2009-03-12",
        Role.SEX: "2",
        Role.POSTCODE: "za1 4bd",
        Role.HOUSE_NUMBER: "012b",
        Role.STREET: "12b St Mary's Rd",
        Role.TOWN: "Stockton-on-Tees",
        Role.UPRN: "000900000001",
        Role.NHS_NUMBER: "999 000 0018",
        Role.UPN: "A001000012001",
        Role.NINO: "QQ 12 34 56 C",
    },
    {
        Role.FORENAME: "Bob Łukasz",
        Role.MIDDLE_NAMES: "",
        Role.SURNAME: "Mac Donald",
        Role.DATE_OF_BIRTH: "1981-12-03",
        Role.SEX: "1",
        Role.POSTCODE: "ZB12 3XY",
        Role.HOUSE_NUMBER: "7-9",
        Role.STREET: "The Avenue",
        Role.TOWN: "Æbury",
        Role.UPRN: "900000000002",
        Role.NHS_NUMBER: "9990000026",
        Role.UPN: "u002 0000 1200 2",
        Role.NINO: "qq654321",
    },
)

_TEXTS: Final[Mapping[Role, tuple[str, ...]]] = {
    Role.FORENAME: ("Mr", "Dr Mr Jo", "BABY", "unknown", "NA", "Straße", "王", "Jo\u200bAnn"),
    Role.MIDDLE_NAMES: ("Lee Ann", "N/A"),
    Role.SURNAME: ("NA", "DE LA", "Mac Donald de la", "St. John-Smith", "Ba by", "de L Smith"),
    Role.DATE_OF_BIRTH: ("1895-01-01", "1894-12-31", "1900-01-01", "2001-02-30", "2001-2-3"),
    Role.SEX: ("9", "M"),
    Role.POSTCODE: ("n1p 3aa", "GIR 0AA", "ZZ99 3VZ", "ZA1 1CA"),
    Role.HOUSE_NUMBER: ("12AB", "Flat 3", "000", "3A3"),
    Role.STREET: ("12a, 14 High St", "St", "1st Ave", "5"),
    Role.TOWN: ("St. Helens", "n/a"),
    Role.UPRN: ("0012", "1234567890123", "000"),
    Role.NHS_NUMBER: ("943-476-5919", "9434765918", "9999999999"),
    Role.UPN: ("H801200001001", "H80120000100A"),
    Role.NINO: ("CR123456A", "AB123456E"),
}

_SOURCES: Final[Mapping[str, tuple[Role, ...]]] = {
    "fn1": (Role.FORENAME,),
    "fn2": (Role.FORENAME,),
    "fnx": (Role.FORENAME,),
    "nick": (Role.FORENAME,),
    "mn": (Role.FORENAME, Role.MIDDLE_NAMES),
    "sn1": (Role.SURNAME,),
    "sn2": (Role.SURNAME,),
    "snx": (Role.SURNAME,),
    "alpha": (Role.FORENAME, Role.SURNAME),
    "dob": (Role.DATE_OF_BIRTH,),
    "sex": (Role.SEX,),
    "pc": (Role.POSTCODE,),
    "hn": (Role.HOUSE_NUMBER,),
    "st": (Role.STREET,),
    "town": (Role.TOWN,),
    "uprn": (Role.UPRN,),
    "nhs": (Role.NHS_NUMBER,),
    "upn": (Role.UPN,),
    "nino": (Role.NINO,),
}


def vectors() -> dict[str, Any]:
    """Give the whole document of `gateway pseudonym vectors --json`."""
    return {
        "scheme": SCHEME,
        "std": STANDARD,
        "tables": dict(shipped.table_digests()),
        "root_hex": ROOT.hex(),
        "vectors": list(_token_vectors()),
        "standardisation": list(_element_vectors()),
        "soundex": _soundex_vectors(),
        "keys": _key_vectors(),
    }


def _elements(rows: list[Mapping[Role, str]], postcode_form: str = "") -> pl.DataFrame:
    columns = tuple(
        ContractColumn(name=role.value, field=role.value, type="text", role=role)
        for role in _PEOPLE[0]
    )
    contract = Contract(
        id="vectors",
        title="Published vectors",
        version=1,
        parties=(),
        columns=columns,
        population="synthetic",
        postcode_form=postcode_form,
    )
    texts = {role.value: [row.get(role) for row in rows] for role in _PEOPLE[0]}
    return standardise(pl.DataFrame(texts, schema=dict.fromkeys(texts, pl.String)), contract)


def _token_vectors() -> Iterator[dict[str, Any]]:
    people = _elements(list(_PEOPLE))
    key = derivation.study_token_key(StudyRoot(ROOT), STUDY, linkage_unit=UNIT, epoch=EPOCH)
    for name in TOKEN_NAMES:
        values = match_keys.token_texts(match_keys.tokens(people, name, key))
        for components, value in zip(
            match_keys.component_columns(people, name).rows(), values, strict=True
        ):
            yield {
                "token": name,
                "study": STUDY,
                "linkage_unit": UNIT,
                "epoch": EPOCH,
                "components": list(components),
                "value": value,
            }


def _element_vectors() -> Iterator[dict[str, Any]]:
    """One entry for each text: `input` is a text, or texts by role where several make it."""
    for element in ELEMENTS:
        roles = _SOURCES[element]
        rows: list[Mapping[Role, str]] = [*_PEOPLE, *({roles[0]: t} for t in _TEXTS[roles[0]])]
        if element == "mn":
            rows += [{Role.MIDDLE_NAMES: text} for text in _TEXTS[Role.MIDDLE_NAMES]]
        for row, output in zip(rows, _elements(rows)[element], strict=True):
            given = {role.value: row.get(role) for role in roles}
            single = next(iter(given.values())) if len(given) == 1 else given
            yield {"element": element, "input": single, "output": output}
    for text in ("4814", "0800", "12"):
        output = _elements([{Role.POSTCODE: text}], "digits")["pc"][0]
        yield {"element": "pc", "input": text, "output": output, "postcode_form": "digits"}


def _soundex_vectors() -> list[dict[str, str]]:
    names = pl.Series(["ROBERT", "ASHCRAFT", "TYMCZAK", "PFISTER", "LEE", "VANDERBERGOBRIEN"])
    return [{"input": n, "output": s} for n, s in zip(names, soundex(names), strict=True)]


def _key_vectors() -> list[dict[str, Any]]:
    subject = "00112233445566778899aabbccddeeff"
    elements = _elements(list(_PEOPLE[:1]))
    pseudonym = derivation.pseudonym_key(
        ControllerRoot(ROOT), "local-research", recipient="example-team", epoch=EPOCH
    )
    tombstone = derivation.tombstone_key(RegisterRoot(ROOT), "trafford-council", generation="1")
    check = derivation.check_value(StudyRoot(ROOT), STUDY, epoch=EPOCH)
    made = match_keys.pseudonyms(pl.Series([subject]), pseudonym)
    stone = match_keys.tokens(elements, "T03", tombstone)
    return [
        {
            "what": "pseudonym",
            "info": ["local-research", "example-team", EPOCH],
            "components": [subject],
            "value": match_keys.token_texts(made)[0],
        },
        {
            "what": "objection",
            "info": ["trafford-council", "1"],
            "token": "T03",
            "components": list(match_keys.component_columns(elements, "T03").row(0)),
            "value": match_keys.token_texts(stone)[0],
        },
        {"what": "check", "info": [STUDY, EPOCH], "value": check.hex()},
    ]
